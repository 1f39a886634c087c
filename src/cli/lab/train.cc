#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/flags.h"
#include "cli/lab/exits_view.h"
#include "cli/lab/score_view.h"
#include "cli/skipped.h"
#include "learn/fit_exits.h"
#include "learn/train.h"

namespace fogline::cli {
namespace {

constexpr size_t kMistakesShown = 10;

struct TrainArgs : Common {
  TrainOptions train;
  std::filesystem::path teacher;
  std::vector<std::string> exits;
};

struct Usage {
  double seconds = 0, cpu_seconds = 0;
  size_t peak_bytes = 0;
};

Usage UsageSince(std::chrono::steady_clock::time_point start) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          seconds(used.ru_utime) + seconds(used.ru_stime),
          static_cast<size_t>(used.ru_maxrss) * 1024};
}

Json ToJson(const TrainOptions& options, const TrainReport& report, const Usage& usage) {
  const CrossValidation& cv = report.validation;
  Json path = Json::array();
  for (size_t l = 0; l < cv.lambdas.size(); ++l) {
    path.push_back(
        {{"lambda", cv.lambdas[l]}, {"log_loss", cv.log_loss[l]}, {"accuracy", cv.accuracy[l]}});
  }
  return {
      {"classes", report.labels},
      {"images", report.images},
      {"cv_accuracy", report.score.accuracy},
      {"cv_balanced_accuracy", report.score.balanced_accuracy},
      {"cv_log_loss", report.score.log_loss},
      {"cv_accuracy_likeliest", report.likeliest.accuracy},
      {"threshold", report.threshold},
      {"positive",
       report.positive < 0 ? Json() : Json(report.labels[static_cast<size_t>(report.positive)])},
      {"confusion", report.score.confusion},
      {"per_class", ClassesToJson(report.labels, report.score)},
      {"auc", report.positive < 0 ? Json() : Json(report.curve.auc)},
      {"folds", report.folds},
      {"seed", options.seed},
      {"augment", report.augment},
      {"lambda", cv.lambdas[cv.best]},
      {"lambdas", std::move(path)},
      {"features",
       {{"tensor", report.features.tensor},
        {"width", report.features.width},
        {"averaged", report.features.average}}},
      {"mistakes", MistakesToJson(report.labels, cv.predictions)},
      {"skipped", SkippedToJson(report.skipped)},
      {"warnings", report.warnings},
      {"model", report.model.string()},
      {"card", report.card.string()},
      {"model_bytes", report.model_bytes},
      {"seconds", usage.seconds},
      {"cpu_seconds", usage.cpu_seconds},
      {"peak_bytes", usage.peak_bytes}};
}

void Print(const TrainReport& report, const Usage& usage) {
  const TextStyle style = StdoutStyle();
  const Score& score = report.score;
  const Interval sure = WilsonInterval(score.correct, score.images);
  std::string classes;
  for (size_t c = 0; c < report.labels.size(); ++c) {
    classes +=
        fmt::format("{}{} {}", c == 0 ? "" : ", ", report.by_class[c], Printable(report.labels[c]));
  }
  fmt::print("{} pictures ({}), {} features of '{}'{}, {} variations each\n\n", report.images,
             classes, report.features.width, Printable(report.features.tensor),
             report.features.average ? " averaged over space" : "", report.augment);
  fmt::print("{}-fold cross-validation\n", report.folds);
  fmt::print("  accuracy           {:5.1f} %   ({} of {}; 95 % sure of {:.1f} to {:.1f} %)\n",
             100 * score.accuracy, score.correct, score.images, 100 * sure.low, 100 * sure.high);
  fmt::print("  balanced accuracy  {:5.1f} %\n", 100 * score.balanced_accuracy);
  if (report.positive >= 0) {
    fmt::print("  threshold          {:5.2f}     '{}' is reported from this probability on{}\n",
               report.threshold, Printable(report.labels[static_cast<size_t>(report.positive)]),
               report.positive_guessed ? " (guessed; --positive says otherwise)" : "");
  } else {
    fmt::print("  no positive class: every picture is reported (--positive LABEL names one)\n");
  }
  fmt::print("  penalty            {:.2g}\n\n", report.validation.lambdas[report.validation.best]);
  fmt::print("{}\n", ClassTable(report.labels, score).ToText(style));
  const std::vector<Prediction> wrong = Mistakes(report.validation.predictions);
  if (!wrong.empty()) {
    fmt::print("{} mistakes{}\n{}\n", wrong.size(),
               wrong.size() > kMistakesShown ? fmt::format(", the worst {}", kMistakesShown) : "",
               MistakeTable(report.labels, wrong, kMistakesShown).ToText(style));
  }
  fmt::print("{} and {} written ({}); {:.1f} s, {:.1f} s of CPU, {} of memory\n",
             report.model.string(), report.card.filename().string(),
             HumanBytes(static_cast<double>(report.model_bytes)), usage.seconds, usage.cpu_seconds,
             HumanBytes(static_cast<double>(usage.peak_bytes)));
}

/// Whether the flags make one task.
Status CheckTask(const TrainArgs& args) {
  if (args.train.backbone.empty() == args.teacher.empty()) {
    return Fail(ErrorCode::kUsage, "train",
                "needs --backbone MODEL, to make a classifier on its features, or --teacher MODEL, "
                "to fit early exits to a classifier that there is");
  }
  if (!args.teacher.empty() && args.exits.empty()) {
    return Fail(ErrorCode::kUsage, "--teacher " + args.teacher.string(),
                "needs --exits: where pictures may leave, or auto");
  }
  const bool labelled = !args.train.at.empty() || !args.train.positive.empty();
  if (!args.teacher.empty() && labelled) {
    return Fail(ErrorCode::kUsage, "--teacher " + args.teacher.string(),
                "says the classes itself; --at and --positive go with --backbone");
  }
  return CheckOut(args.train.out, args.teacher.empty() ? args.train.backbone : args.teacher);
}

Result<FitExitsReport> FitTo(const TrainArgs& args, const std::filesystem::path& network,
                             SampleHalves pictures, const TrainProgress& progress) {
  const TrainOptions& train = args.train;
  return FitExits({network, train.out, args.exits, std::move(pictures),
                   train.images.filename().empty() ? train.images.parent_path().filename().string()
                                                   : train.images.filename().string(),
                   train.seed, train.threads, train.side},
                  progress);
}

/// What one command did; either may be missing.
struct Trained {
  std::optional<TrainReport> classifier;
  std::optional<FitExitsReport> exits;
};

Result<Trained> RunAll(const TrainArgs& args, const TrainProgress& progress) {
  Trained all;
  if (!args.teacher.empty()) {
    FOGLINE_TRY(const std::vector<Sample> samples,
                ListUnlabelled(args.train.images, DepthOf(args.train.recursive)));
    FOGLINE_TRY(all.exits,
                FitTo(args, args.teacher, SampleHalvesOf(samples, 1, args.train.seed), progress));
    return all;
  }
  if (args.exits.empty()) {
    FOGLINE_TRY(all.classifier, Train(args.train, progress));
    return all;
  }
  // What exits are measured on, nothing may have seen: neither a head nor the classifier itself.
  const TempDir folder;
  TrainOptions half = args.train;
  half.leave_half = true;
  half.out = folder.path() / args.train.out.filename();
  FOGLINE_TRY(all.classifier, Train(half, progress));
  FOGLINE_TRY(const Dataset data, ListSamples(args.train.images, DepthOf(args.train.recursive)));
  FOGLINE_TRY(all.exits,
              FitTo(args, half.out,
                    SampleHalvesOf(data.samples, data.labels.size(), args.train.seed), progress));
  all.classifier->model = all.exits->model;
  all.classifier->card = all.exits->card;
  all.classifier->model_bytes = all.exits->model_bytes;
  return all;
}

Status RunTrain(const TrainArgs& args) {
  const auto start = std::chrono::steady_clock::now();
  FOGLINE_CHECK(CheckTask(args));
  StageProgress progress;
  auto ran = RunAll(
      args, [&](std::string_view stage, size_t, size_t total) { progress.Advance(stage, total); });
  progress.Wipe();
  FOGLINE_TRY(const Trained trained, std::move(ran));
  const auto tell = [](const auto& report) {
    LogSkipped(report.skipped);
    for (const std::string& warning : report.warnings) LogWarning("{}", warning);
  };
  if (trained.classifier) tell(*trained.classifier);
  if (trained.exits) tell(*trained.exits);
  const Usage usage = UsageSince(start);
  if (args.json) {
    Json json =
        trained.classifier ? ToJson(args.train, *trained.classifier, usage) : Json::object();
    if (trained.exits) json.update(ExitsToJson(*trained.exits));
    fmt::print("{}\n", Dump(json));
    return {};
  }
  if (trained.classifier) Print(*trained.classifier, usage);
  if (trained.exits) PrintExits(*trained.exits);
  return {};
}

}  // namespace

void AddTrain(CommandLine& line) {
  Command command = AddHere(line, "train");
  auto args = std::make_shared<TrainArgs>();
  TrainOptions& train = args->train;
  command.Add("--backbone", train.backbone, "the ONNX model whose features are used").Type("MODEL");
  command
      .Add("--teacher", args->teacher,
           "instead: a classifier that gets early exits, fitted to what it says itself of pictures "
           "that nobody labelled")
      .Type("MODEL");
  command
      .Add("--exits", args->exits,
           "where sure pictures may leave: cuts where one tensor crosses, or auto; half of the "
           "pictures measure what that promises")
      .Type("CUT,CUT")
      .Delimiter(',');
  AddPhotographFlags(command, train.images, train.recursive, train.threads, train.side,
                     "; with --teacher any folder");
  command.Add("--out", train.out, "the ONNX file to write, its card beside it as .toml")
      .Required()
      .Type("FILE");
  command
      .Add("--at", train.at,
           "a tensor or cut to read features at instead of the pooled ones: an early exit "
           "(tensor:3 where a name is a number)")
      .Type("TENSOR");
  command
      .Add("--positive", train.positive,
           "the class worth reporting, or none (guessed from the names)")
      .Type("LABEL");
  command.Add("--folds", train.folds, "folds of the cross-validation").ShowDefault().Range(2, 1000);
  command.Add("--seed", train.seed, "of variations and folds").ShowDefault();
  command.Add("--augment", train.augment, "variations of each picture (default 4)").Range(0, 100);
  AddCommon(command, *args);
  command.Example(
      "fogline train --backbone mobilenet_v2.onnx --images photographs/ --out mine.onnx",
      "a classifier of the sub-folders, each of which is a class");
  SetAction(command, args, [args] { return RunTrain(*args); });
}

}  // namespace fogline::cli
