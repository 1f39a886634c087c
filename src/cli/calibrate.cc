#include "codec/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/npy.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/model_args.h"
#include "codec/calibration_set.h"
#include "codec/choose_cuts.h"
#include "codec/draft.h"
#include "pages/calibrate_chart.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct CalibrateArgs : Common {
  ModelArgs model;
  std::filesystem::path images, labels, out, chart;
  std::vector<std::string> cuts;
  std::vector<int> bits;
  std::string metric;
  size_t most = 0;
  int threads = 0;
  bool recursive = false;
};

/// Runs the user's command on two folders of PICTURE.OUTPUT.npy, the whole model's and the split
/// one's, and reads the last number that it prints.
Result<double> RunMetric(const std::string& command, const std::vector<std::vector<Tensor>>& whole,
                         const std::vector<std::vector<Tensor>>& split) {
  const TempDir folder;
  for (const auto& [name, outputs] : {std::pair("whole", &whole), std::pair("split", &split)}) {
    const auto to = folder.path() / name;
    FOGLINE_CHECK(MakeFolders(to));
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

/// Pairs that agree less are not what a plan takes (plan's --min-agreement).
constexpr double kAgreesEnough = 0.95;

/// What the table comes to, and what to do next.
std::string Conclusion(const BundleContents& contents, const std::filesystem::path& model) {
  const CalibratedPair* least = nullptr;
  for (const CalibratedPair& pair : contents.pairs) {
    const bool enough = pair.agreement.value_or(0) >= kAgreesEnough;
    if (enough && (least == nullptr || pair.bytes_mean < least->bytes_mean)) least = &pair;
  }
  std::string text =
      least == nullptr
          ? fmt::format(
                "No codec here agrees with the whole network in {:.0f} of 100 pictures: send "
                "f32 or f16, or calibrate on more pictures.\n",
                100 * kAgreesEnough)
          : fmt::format(
                "The fewest bytes that agree in {:.0f} of 100 pictures: {} behind {}, {} a "
                "picture, {} of them the same.\n",
                100 * kAgreesEnough, least->codec, Printable(least->cut_name),
                HumanBytes(least->bytes_mean), Percent(least->agreement));
  return text +
         fmt::format("Next:\n  fogline plan {} --edge raspberry-pi-4 --cloud t2.micro --link 4g\n",
                     model.string());
}

void Print(const BundleContents& contents, const std::filesystem::path& out,
           const std::filesystem::path& model) {
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
  const TextStyle style = StdoutStyle();
  fmt::print("{}", table.ToText(style));
  fmt::print("{} pictures, each coded by tables from the other half; bundle written to {}\n",
             contents.images, out.string());
  fmt::print("{}", FitLines(Conclusion(contents, model), style.width));
}

/// Calibrates and writes the bundle. What is found on the way is kept beside it: the same command
/// goes on from there, however it was ended.
Result<BundleContents> CalibrateInto(const std::filesystem::path& out, const CalibrateArgs& args,
                                     const Network& network, const CalibrationSet& set,
                                     CalibrateOptions options) {
  const auto draft = std::filesystem::path(out) += ".part";
  const Sha256 key = DraftKey(network, set, options, args.metric);
  if (auto kept = LoadDraft(draft, key)) {
    LogInfo("{}: goes on where it was stopped, behind {} of {} cuts", draft.string(), kept->cuts,
            options.cuts.size());
    options.cuts_done = std::min(kept->cuts, options.cuts.size());
    options.found = std::move(kept->found);
  } else if (kept.error().code != ErrorCode::kNotFound) {
    LogWarning("{}; begins anew", kept.error().ToString());
  }
  size_t done = options.cuts_done;
  options.keep = [&](size_t cuts, const BundleContents& found) {
    done = cuts;
    return SaveDraft(draft, key, cuts, found);
  };
  // Before all work, so that a place where nothing can be written is known now.
  FOGLINE_CHECK(SaveDraft(draft, key, done, options.found));
  auto progress = std::make_unique<Progress>("calibrating", 100);
  size_t shown = 0;
  options.progress = [&](size_t percent, size_t, std::string_view what) {
    progress->Advance(percent - std::min(shown, percent), what);
    shown = std::max(shown, percent);
  };
  auto contents = Calibrate(network, set, options);
  progress.reset();
  if (!contents && contents.error().code == ErrorCode::kCancelled) {
    return Fail(ErrorCode::kCancelled, draft.string(),
                "stopped: it keeps {} of {} cuts, and the same command goes on from there", done,
                options.cuts.size());
  }
  if (contents) {
    FOGLINE_CHECK(WriteFile(out, WriteBundle(*contents)));
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
  }
  return contents;
}

Status Run(const CalibrateArgs& args) {
  FOGLINE_TRY(const Network network, ReadNetwork(args.model));
  if (const auto& error = network.contract.no_picture) return tl::unexpected<Error>(*error);
  CalibrateOptions options;
  options.threads = args.threads > 0
                        ? args.threads
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  FOGLINE_TRY(options.cuts, ChooseCuts(network.model, args.cuts));
  if (!args.bits.empty()) {
    options.levels = args.bits;
    std::ranges::sort(options.levels);
    options.levels.erase(std::unique(options.levels.begin(), options.levels.end()),
                         options.levels.end());
  }
  FOGLINE_TRY(const CalibrationSet set,
              ReadCalibrationSet(args.images, DepthOf(args.recursive), args.labels, args.most,
                                 network, options.threads));
  if (!args.metric.empty()) {
    options.metric = [&](const auto& whole, const auto& split) {
      return RunMetric(args.metric, whole, split);
    };
  }
  auto out = args.out;
  if (out.empty()) (out = args.model.path).replace_extension(".bundle");
  FOGLINE_TRY(const BundleContents contents, CalibrateInto(out, args, network, set, options));
  if (!args.chart.empty()) {
    FOGLINE_CHECK(WriteFile(args.chart, RateFidelitySvg(contents.model, contents.pairs)));
  }
  if (args.json) {
    fmt::print("{}\n", PairsJson(contents.model, contents.images, contents.pairs));
  } else {
    Print(contents, out, args.model.path);
  }
  return {};
}

}  // namespace

void AddCalibrate(CommandLine& line) {
  Command command = line.Add(
      "calibrate", "Finds codecs for what crosses: bytes and fidelity of every cut and codec");
  auto args = std::make_shared<CalibrateArgs>();
  AddModelArgs(command, args->model);
  command.Add("--images", args->images, "folder of pictures like those to come").Required();
  AddRecursive(command, args->recursive);
  command
      .Add("--labels", args->labels, "lines of file, tab, class (label or number): adds accuracy")
      .Type("TSV");
  command
      .Add("--out", args->out,
           "the bundle (default: MODEL.bundle beside the model, where edge, cloud and "
           "plan look for it)")
      .Type("FILE");
  command
      .Add("--cuts", args->cuts,
           "cuts by index, alias or tensor (docs/graph.md), ';' between several; 'all' for every "
           "one (default: those that no other cut makes useless)")
      .Delimiter(';');
  command.Add("--bits", args->bits, "levels of the quantiser, 2 to 8 (default: all)")
      .Delimiter(',')
      .Range(2, 8);
  command
      .Add("--metric", args->metric,
           "command that gets two folders of .npy outputs, whole and split, and prints "
           "a number")
      .Type("COMMAND");
  command.Add("--chart", args->chart, "draws the rate-fidelity curves").Type("SVG");
  command.Add("--max-images", args->most, "use at most this many pictures, spread evenly");
  command.Add("--threads", args->threads, "0: every core").Range(0, 1024);
  AddCommon(command, *args);
  command
      .Example("fogline calibrate models/litter.onnx --images photographs/",
               "writes models/litter.bundle, which plan, edge and cloud find")
      .Example(
          "fogline calibrate mine.onnx --images photographs/ --recursive --cuts split5;split13 "
          "--chart curves.svg",
          "two cuts, with their curves");
  SetAction(command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
