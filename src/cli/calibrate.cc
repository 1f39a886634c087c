#include "codec/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <map>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/calibrate_chart.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "cli/npy.h"
#include "codec/parallel.h"
#include "report/table.h"
#include "vision/folder.h"
#include "vision/preprocess.h"

namespace fogline::cli {
namespace {

struct Args : Common {
  ModelArgs model;
  std::filesystem::path images, labels, out, chart;
  std::vector<std::string> cuts;
  std::vector<int> bits;
  std::string metric;
  size_t most = 0;
  int threads = 0;
};

Result<std::vector<Cut>> ChooseCuts(const Args& args, const Model& model) {
  FOGLINE_TRY(std::vector<Cut> listed, ListCuts(model));
  if (args.cuts.empty()) {
    // A cut that sends more than one before it has nothing to offer that the other has not.
    int64_t least = std::numeric_limits<int64_t>::max();
    std::erase_if(listed, [&](const Cut& cut) {
      least = std::min(least, cut.bytes);
      return cut.bytes > least;
    });
    return listed;
  }
  if (args.cuts == std::vector<std::string>{"all"}) return listed;
  std::vector<Cut> chosen;
  for (const std::string& spec : args.cuts) {
    FOGLINE_TRY(Cut cut, FindCut(model, spec));
    const auto same = [&](const Cut& other) { return other.id == cut.id; };
    if (std::ranges::none_of(chosen, same)) chosen.push_back(std::move(cut));
  }
  return chosen;
}

/// Lines of "file<TAB>class index".
Result<std::map<std::string, int>> ReadLabels(const std::filesystem::path& path) {
  FOGLINE_TRY(const std::string text, ReadTextFile(path));
  std::map<std::string, int> labels;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const size_t tab = line.find('\t');
    int label = -1;
    if (tab != std::string_view::npos) {
      const std::string_view digits = line.substr(tab + 1);
      const auto [stop, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), label);
      if (error != std::errc() || stop != digits.data() + digits.size()) label = -1;
    }
    if (label < 0) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}:{}", path.string(), number),
                  "is no line of file, tab, class number");
    }
    labels[std::string(line.substr(0, tab))] = label;
  }
  return labels;
}

Result<CalibrationSet> ReadSet(const Args& args, const ModelCard& card, int threads) {
  FOGLINE_TRY(std::vector<std::filesystem::path> files, ListImages(args.images));
  if (args.most > 0 && files.size() > args.most) {
    // Evenly, since names often sort by class.
    for (size_t i = 0; i < args.most; ++i) files[i] = files[i * files.size() / args.most];
    files.resize(args.most);
  }
  CalibrationSet set;
  set.pictures.resize(files.size());
  FOGLINE_CHECK(ParallelFor(files.size(), threads, [&](size_t i, int) -> Status {
    FOGLINE_TRY(const Picture picture, LoadPicture(files[i], DecodeAtLeast(card)));
    FitToInput(picture.image, card, set.pictures[i]);
    return {};
  }));
  if (args.labels.empty()) return set;
  FOGLINE_TRY(const auto labels, ReadLabels(args.labels));
  size_t known = 0;
  for (const auto& file : files) {
    const auto found = labels.find(file.filename().string());
    set.labels.push_back(found == labels.end() ? -1 : found->second);
    known += found != labels.end();
  }
  if (known == 0) {
    return Fail(ErrorCode::kInvalid, args.labels.string(), "labels none of the pictures in {}",
                args.images.string());
  }
  return set;
}

/// Runs the user's command on two folders of PICTURE.OUTPUT.npy, the whole model's and the split
/// one's, and reads the last number that it prints.
Result<double> RunMetric(const std::string& command, const std::vector<std::vector<Tensor>>& whole,
                         const std::vector<std::vector<Tensor>>& split) {
  const TempDir folder;
  for (const auto& [name, outputs] : {std::pair("whole", &whole), std::pair("split", &split)}) {
    const auto to = folder.path() / name;
    std::filesystem::create_directory(to);
    for (size_t i = 0; i < outputs->size(); ++i) {
      for (size_t o = 0; o < (*outputs)[i].size(); ++o) {
        FOGLINE_CHECK(WriteNpy(to / fmt::format("{:05}.{}.npy", i, o), (*outputs)[i][o].view()));
      }
    }
  }
  FOGLINE_TRY(Process process,
              Process::Start({.command = {"/bin/sh", "-c", command + " \"$0\" \"$1\"",
                                          folder.path() / "whole", folder.path() / "split"},
                              .capture_stdout = true,
                              .stderr_to = {}}));
  FOGLINE_TRY(const std::string printed, process.ReadStdout());
  if (const int status = process.Wait(); status != 0) {
    return Fail(ErrorCode::kInvalid, "--metric", "'{}' ended with status {}", command, status);
  }
  std::string_view text = printed;
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  const size_t space = text.find_last_of(" \t\r\n");
  const std::string last(space == std::string_view::npos ? text : text.substr(space + 1));
  char* end = nullptr;
  const double value = std::strtod(last.c_str(), &end);
  if (last.empty() || *end != '\0') {
    return Fail(ErrorCode::kInvalid, "--metric", "'{}' did not end with a number but with '{}'",
                command, last);
  }
  return value;
}

std::string Percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f} %", 100 * *share) : "";
}

void Print(const BundleContents& contents, const std::filesystem::path& out) {
  const bool labels = std::ranges::any_of(
      contents.pairs, [](const auto& pair) { return pair.top1_accuracy.has_value(); });
  const bool metric = std::ranges::any_of(
      contents.pairs, [](const auto& pair) { return pair.user_metric.has_value(); });
  std::vector<Table::Column> columns{
      {"cut", true}, {"what crosses", false, true}, {"codec"},       {"bytes", true},
      {"p95", true}, {"output error", true},        {"agrees", true}};
  if (labels) columns.push_back({"top-1", true});
  if (metric) columns.push_back({"metric", true});
  Table table(columns);
  std::string last;
  for (const CalibratedPair& pair : contents.pairs) {
    const bool first = pair.cut_name != last;
    last = pair.cut_name;
    std::vector<Cell> cells{first && pair.cut >= 0 ? std::to_string(pair.cut) : "",
                            first ? Printable(pair.cut_name) : "",
                            pair.codec,
                            fmt::format("{:.0f}", pair.bytes_mean),
                            fmt::format("{:.0f}", pair.bytes_p95),
                            fmt::format("{:.2f} %", 100 * pair.relative_error),
                            Percent(pair.agreement)};
    if (labels) cells.emplace_back(Percent(pair.top1_accuracy));
    if (metric) cells.emplace_back(pair.user_metric ? fmt::format("{:g}", *pair.user_metric) : "");
    table.Add(std::move(cells));
  }
  fmt::print("{}", table.ToText(StdoutStyle()));
  fmt::print("{} pictures, each coded by tables from the other half; bundle written to {}\n",
             contents.images, out.string());
}

Status Run(const Args& args) {
  FOGLINE_TRY(const Model model, LoadModel(args.model));
  FOGLINE_TRY(const ModelCard card, LoadCard(args.model.path, model.inputs(), model.outputs()));
  CalibrateOptions options;
  options.threads = args.threads > 0
                        ? args.threads
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  FOGLINE_TRY(options.cuts, ChooseCuts(args, model));
  if (!args.bits.empty()) {
    options.levels = args.bits;
    std::ranges::sort(options.levels);
    options.levels.erase(std::unique(options.levels.begin(), options.levels.end()),
                         options.levels.end());
  }
  FOGLINE_TRY(const CalibrationSet set, ReadSet(args, card, options.threads));
  if (!args.metric.empty()) {
    options.metric = [&](const auto& whole, const auto& split) {
      return RunMetric(args.metric, whole, split);
    };
  }
  std::unique_ptr<Progress> progress;
  size_t shown = 0;
  options.progress = [&](size_t done, size_t total, std::string_view what) {
    if (progress == nullptr) progress = std::make_unique<Progress>("calibrating", total);
    progress->Advance(done - shown, what);
    shown = done;
  };
  FOGLINE_TRY(const BundleContents contents, Calibrate(model, card, set, options));
  progress.reset();
  auto out = args.out;
  if (out.empty()) (out = args.model.path).replace_extension(".bundle");
  FOGLINE_CHECK(WriteFile(out, WriteBundle(contents)));
  if (!args.chart.empty()) {
    FOGLINE_CHECK(WriteFile(args.chart, RateFidelitySvg(contents.model, contents.pairs)));
  }
  if (args.json) {
    fmt::print("{}\n", PairsJson(contents.model, contents.images, contents.pairs));
  } else {
    Print(contents, out);
  }
  return {};
}

}  // namespace

void AddCalibrate(CLI::App& app) {
  auto* command = app.add_subcommand(
      "calibrate", "Finds codecs for what crosses: bytes and fidelity of every cut and codec");
  auto args = std::make_shared<Args>();
  AddModelArgs(*command, args->model);
  command->add_option("--images", args->images, "folder of pictures like those to come")
      ->required();
  command->add_option("--labels", args->labels, "lines of file, tab, class number: adds accuracy")
      ->type_name("TSV");
  command
      ->add_option("--out", args->out,
                   "the bundle (default: MODEL.bundle beside the model, where edge, cloud and "
                   "plan look for it)")
      ->type_name("FILE");
  command
      ->add_option("--cuts", args->cuts,
                   "cuts by index, alias or tensor; 'all' for every one (default: those that no "
                   "earlier cut undercuts)")
      ->delimiter(';');
  command->add_option("--bits", args->bits, "levels of the quantiser, 2 to 8 (default: all)")
      ->delimiter(',')
      ->check(CLI::Range(2, 8));
  command
      ->add_option("--metric", args->metric,
                   "command that gets two folders of .npy outputs, whole and split, and prints "
                   "a number")
      ->type_name("COMMAND");
  command->add_option("--chart", args->chart, "draws the rate-fidelity curves")->type_name("SVG");
  command->add_option("--max-images", args->most, "use at most this many pictures, spread evenly");
  command->add_option("--threads", args->threads, "0: every core")->check(CLI::Range(0, 1024));
  AddCommon(*command, *args);
  SetAction(*command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
