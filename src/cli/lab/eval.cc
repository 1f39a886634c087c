#include <fmt/format.h>

#include <chrono>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/flags.h"
#include "cli/lab/eval_boxes.h"
#include "cli/lab/eval_page.h"
#include "cli/lab/score_view.h"
#include "cli/skipped.h"
#include "learn/evaluate.h"

namespace fogline::cli {
namespace {

constexpr size_t kWorstShown = 20;

struct EvalArgs : Common {
  EvaluateOptions evaluate;
  std::filesystem::path truth, html;
};

Json CurveToJson(const ThresholdCurve& curve) {
  Json list = Json::array();
  for (const ThresholdPoint& p : curve.points) {
    list.push_back({{"threshold", p.threshold},
                    {"recall", p.recall()},
                    {"precision", p.precision()},
                    {"false_positive_rate", p.false_positive_rate()},
                    {"accuracy", p.accuracy()},
                    {"balanced_accuracy", p.balanced_accuracy()}});
  }
  return list;
}

Json ToJson(const EvaluateOptions& options, const EvaluateReport& report, double seconds) {
  const bool positive = report.positive >= 0;
  Json bins = Json::array();
  for (const CalibrationBin& bin : report.calibration) {
    bins.push_back({{"images", bin.images},
                    {"said", bin.images > 0 ? Json(bin.said) : Json()},
                    {"was", bin.images > 0 ? Json(bin.was) : Json()}});
  }
  return {
      {"images", report.images},
      {"accuracy", report.score.accuracy},
      {"balanced_accuracy", report.score.balanced_accuracy},
      {"confusion", report.score.confusion},
      {"classes", report.labels},
      {"per_class", ClassesToJson(report.labels, report.score)},
      {"log_loss", report.score.log_loss},
      {"positive", positive ? Json(report.labels[static_cast<size_t>(report.positive)]) : Json()},
      {"threshold", positive ? Json(report.card.threshold) : Json()},
      {"best_threshold", positive ? Json(report.best_threshold) : Json()},
      {"auc", positive ? Json(report.curve.auc) : Json()},
      {"average_precision", positive ? Json(report.curve.average_precision) : Json()},
      {"curve", CurveToJson(report.curve)},
      {"calibration", std::move(bins)},
      {"calibration_error", report.calibration_error},
      {"mistakes", MistakesToJson(report.labels, report.predictions)},
      {"skipped", SkippedToJson(report.skipped)},
      {"warnings", report.warnings},
      {"model",
       {{"path", options.model.string()},
        {"sha256", ToHex(report.model_hash)},
        {"classes", report.model_classes},
        {"size", {report.card.height, report.card.width}}}},
      {"seconds", seconds}};
}

/// Every tenth threshold, the card's and the best, each once and in order.
Table ThresholdTable(const EvaluateReport& report) {
  Table table({{"threshold", true},
               {"recall", true},
               {"precision", true},
               {"missed", true},
               {"false alarms", true},
               {"accuracy", true},
               {"balanced", true},
               {""}});
  std::vector<double> wanted{report.card.threshold, report.best_threshold};
  for (int tenth = 1; tenth < 10; ++tenth) wanted.push_back(tenth / 10.0);
  std::ranges::sort(wanted);
  wanted.erase(
      std::unique(wanted.begin(), wanted.end(), [](double a, double b) { return b - a < 1e-9; }),
      wanted.end());
  const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  for (const double threshold : wanted) {
    const ThresholdPoint p = CountAt(report.predictions, report.positive, threshold);
    const bool card = threshold == report.card.threshold;
    std::string note = card ? "the card's" : "";
    if (threshold == report.best_threshold) note += card ? ", best here" : "best here";
    table.Add({fmt::format("{:.2f}", threshold), percent(p.recall()), percent(p.precision()),
               std::to_string(p.false_negatives), std::to_string(p.false_positives),
               percent(p.accuracy()), percent(p.balanced_accuracy()), note},
              card ? Table::Weight::kStrong : Table::Weight::kNormal);
  }
  return table;
}

void Print(const EvaluateReport& report) {
  const TextStyle style = StdoutStyle();
  const Score& score = report.score;
  const Interval sure = WilsonInterval(score.correct, score.images);
  fmt::print("{} pictures, {} classes\n", report.images, report.labels.size());
  fmt::print("  accuracy           {:5.1f} %   ({} of {}; 95 % sure of {:.1f} to {:.1f} %)\n",
             100 * score.accuracy, score.correct, score.images, 100 * sure.low, 100 * sure.high);
  fmt::print("  balanced accuracy  {:5.1f} %\n\n", 100 * score.balanced_accuracy);
  fmt::print("{}\n", ClassTable(report.labels, score).ToText(style));
  if (report.positive >= 0) {
    fmt::print("reporting '{}' (area under the ROC curve {:.3f})\n{}\n",
               Printable(report.labels[static_cast<size_t>(report.positive)]), report.curve.auc,
               ThresholdTable(report).ToText(style));
  }
  const std::vector<Prediction> wrong = Mistakes(report.predictions);
  if (wrong.empty()) {
    fmt::print("no mistakes\n");
  } else {
    fmt::print("{} mistakes{}\n{}", wrong.size(),
               wrong.size() > kWorstShown ? fmt::format(", the worst {}", kWorstShown) : "",
               MistakeTable(report.labels, wrong, kWorstShown).ToText(style));
  }
}

Status RunEval(const EvalArgs& args) {
  if (!args.truth.empty()) {
    const EvaluateOptions& e = args.evaluate;
    return RunBoxEval({e.model, e.images, args.truth, e.threads, e.side, e.recursive}, args.html,
                      args.json);
  }
  const auto start = std::chrono::steady_clock::now();
  StageProgress progress;
  auto evaluated = Evaluate(args.evaluate, [&](std::string_view stage, size_t, size_t total) {
    progress.Advance(stage, total);
  });
  progress.Wipe();
  FOGLINE_TRY(const EvaluateReport report, std::move(evaluated));
  LogSkipped(report.skipped);
  for (const std::string& warning : report.warnings) LogWarning("{}", warning);
  if (!args.html.empty()) {
    FOGLINE_CHECK(
        WriteFile(args.html, EvaluatePage(args.evaluate.model.filename().string(), report)));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (args.json) {
    fmt::print("{}\n", Dump(ToJson(args.evaluate, report, seconds)));
    return {};
  }
  Print(report);
  if (!args.html.empty()) fmt::print("\nwritten to {}\n", args.html.string());
  return {};
}

}  // namespace

void AddEval(CommandLine& line) {
  Command command = AddHere(line, "eval");
  auto args = std::make_shared<EvalArgs>();
  command.Add("MODEL", args->evaluate.model, "an ONNX classifier or detector, its card beside it")
      .Required();
  EvaluateOptions& evaluate = args->evaluate;
  AddPhotographFlags(command, evaluate.images, evaluate.recursive, evaluate.threads, evaluate.side,
                     ", named as the card's labels; with --truth one folder for all");
  command
      .Add("--truth", args->truth,
           "what is to be seen in the pictures, for a detector: COCO's JSON, or a folder of YOLO's "
           "texts")
      .Type("FILE|DIR");
  command.Add("--html", args->html, "write a page with charts and mistakes to this file")
      .Type("FILE");
  AddCommon(command, *args);
  command
      .Example("fogline eval mine.onnx --images photographs/ --html mistakes.html",
               "a classifier on sub-folders that are its classes")
      .Example("fogline eval yolox.onnx --images photographs/ --truth instances.json",
               "a detector, by mAP");
  SetAction(command, args, [args] { return RunEval(*args); });
}

}  // namespace fogline::cli
