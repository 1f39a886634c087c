#include "quantize/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/progress.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/flags.h"
#include "cli/model_args.h"
#include "codec/calibration_set.h"
#include "graph/cut.h"

namespace fogline::cli {
namespace {

/// Below this an integer network is not worth its loss.
constexpr double kWorthwhile = 1.05;

struct QuantizeArgs : Common {
  ModelArgs model;
  std::filesystem::path images, labels, check, out;
  std::string target = "any", before, behind;
  double min_agreement = 0.93;
  size_t most = 0;
  int threads = 0;
  bool recursive = false;
};

Result<QuantizeTarget> TargetOf(const std::string& word) {
  if (word == "any") return QuantizeTarget::kAny;
  if (word == "x86") return QuantizeTarget::kX86;
  if (word == "arm") return QuantizeTarget::kArm;
  return Fail(ErrorCode::kUsage, "--for", "is any, x86 or arm, not '{}'", word);
}

/// "1 Conv, 3 QuantizeLinear".
std::string Listed(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [op, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, Printable(op));
  }
  return text;
}

Json ToJson(const std::filesystem::path& out, const QuantizeReport& report) {
  Json kept = Json::array();
  for (const KeptFloat& one : report.kept_float) {
    kept.push_back(
        {{"layer", one.layer}, {"op", one.op}, {"cost", one.cost}, {"error", one.error}});
  }
  const auto maybe = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  Json check;
  if (report.check) {
    check = {{"images", report.check->pictures},
             {"agreement", report.check->agreement},
             {"beyond", report.check->beyond},
             {"top1_accuracy", maybe(report.check->accuracy)},
             {"float_top1_accuracy", maybe(report.check->float_accuracy)}};
  }
  return {{"out", out.string()},
          {"bytes", report.bytes},
          {"float_bytes", report.float_bytes},
          {"agreement", report.agreement},
          {"two_fold", report.two_fold},
          {"images", report.pictures},
          {"top1_accuracy", maybe(report.accuracy)},
          {"float_top1_accuracy", maybe(report.float_accuracy)},
          {"beyond", report.beyond},
          {"beyond_own", report.beyond_own},
          {"check", std::move(check)},
          {"ms", report.ms},
          {"float_ms", report.float_ms},
          {"speedup", report.speedup()},
          {"worthwhile", report.speedup() >= kWorthwhile},
          {"layers", report.layers},
          {"integer_layers", report.integer_layers},
          {"not_fused", report.not_fused},
          {"kept_float", std::move(kept)}};
}

void Print(const std::filesystem::path& out, const QuantizeReport& report) {
  fmt::print("{} written: {} of {} weighted layers in integers\n", out.string(),
             report.integer_layers, report.layers);
  fmt::print("  bytes      {} of {} ({:.1f} %)\n", HumanBytes(static_cast<double>(report.bytes)),
             HumanBytes(static_cast<double>(report.float_bytes)),
             100.0 * static_cast<double>(report.bytes) / static_cast<double>(report.float_bytes));
  fmt::print("  agreement  {:.1f} %   ({} pictures, {})\n", 100 * report.agreement, report.pictures,
             report.two_fold ? "each by the other half's network" : "too few to hold any back");
  if (report.accuracy && report.float_accuracy) {
    fmt::print("  top-1      {:.1f} %   (float {:.1f} %)\n", 100 * *report.accuracy,
               100 * *report.float_accuracy);
  }
  fmt::print("  ranges     {:.3f} % of values lie beyond them, {:.3f} % on their own pictures\n",
             100 * report.beyond, 100 * report.beyond_own);
  if (const auto& check = report.check) {
    fmt::print("  check      {:.1f} % agreement, {:.3f} % beyond the ranges",
               100 * check->agreement, 100 * check->beyond);
    if (check->accuracy && check->float_accuracy) {
      fmt::print(", top-1 {:.1f} % (float {:.1f} %)", 100 * *check->accuracy,
                 100 * *check->float_accuracy);
    }
    fmt::print("   ({} other pictures)\n", check->pictures);
  }
  fmt::print(
      "  time       {:.2f} ms a picture, float {:.2f} ms: {:.2f} times as fast here, one "
      "thread\n",
      report.ms, report.float_ms, report.speedup());
  for (const KeptFloat& one : report.kept_float) {
    fmt::print(
        "  stays float: '{}' ({}), which alone costs {:.1f} % of agreement and moves the outputs "
        "by {:.1f} %\n",
        Printable(one.layer), Printable(one.op), 100 * one.cost, 100 * one.error);
  }
  if (!report.not_fused.empty()) {
    fmt::print("  not put together by the engine: {}\n", Listed(report.not_fused));
  }
  if (report.speedup() < kWorthwhile) {
    fmt::print(
        "don't: in integers it is not faster on this machine ({})\n",
        report.not_fused.empty() ? "every layer was put together" : Listed(report.not_fused));
  }
}

/// Names of the layers on one side of a cut: of the nodes, and of what they make.
Result<std::set<std::string>> SideOf(const Model& model, const std::string& name, bool edge) {
  FOGLINE_TRY(const Cut cut, FindCut(model, name));
  std::set<std::string> names;
  for (size_t n = 0; n < model.nodes().size(); ++n) {
    if (cut.edge[n] != edge) continue;
    const Node& node = model.nodes()[n];
    names.insert(node.name);
    for (const int output : node.outputs) {
      if (output >= 0) names.insert(model.activations()[static_cast<size_t>(output)].port.name);
    }
  }
  return names;
}

/// The card goes where the new model will look for it, with what was measured of this one.
Status WriteCard(const std::filesystem::path& from, const std::filesystem::path& to,
                 const IntegersNote& note) {
  std::filesystem::path source = from, target = to;
  source.replace_extension(".toml");
  target.replace_extension(".toml");
  std::string text;
  if (Exists(source)) {
    FOGLINE_TRY(text, ReadTextFile(source));
  }
  return WriteFile(target, text + IntegersText(note));
}

Status Run(const QuantizeArgs& args) {
  QuantizeOptions options;
  FOGLINE_TRY(options.target, TargetOf(args.target));
  options.min_agreement = args.min_agreement;
  options.threads = args.threads > 0
                        ? args.threads
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (!args.before.empty() && !args.behind.empty()) {
    return Fail(ErrorCode::kUsage, "--before",
                "and --behind are two sides of one cut: give one of them");
  }
  if (SameFile(args.out, args.model.path)) {
    return Fail(ErrorCode::kUsage, "--out", "is the model itself: name another file");
  }
  std::filesystem::path card = args.out;
  if (card.replace_extension(".toml") ==
      std::filesystem::path(args.model.path).replace_extension(".toml")) {
    return Fail(ErrorCode::kUsage, "--out",
                "would have the model's own card: give it another name");
  }
  FOGLINE_TRY(const Network network, ReadNetwork(args.model));
  if (network.card.integers) {
    return Fail(ErrorCode::kConflict, args.model.path.string(),
                "is in integers already, as its card says");
  }
  if (const auto& error = network.contract.no_picture) return tl::unexpected<Error>(*error);
  if (!network.card.exits.empty()) {
    return Fail(ErrorCode::kUnsupported, network.path.string(),
                "has early exits, whose figures are of this very network: put the one that they "
                "were fitted to into integers, then fit them again with fogline train --teacher");
  }
  if (!args.before.empty()) {
    FOGLINE_TRY(options.floating, SideOf(network.model, args.before, /*edge=*/false));
  } else if (!args.behind.empty()) {
    FOGLINE_TRY(options.floating, SideOf(network.model, args.behind, /*edge=*/true));
  }
  FOGLINE_TRY(const CalibrationSet set,
              ReadCalibrationSet(args.images, DepthOf(args.recursive), args.labels, args.most,
                                 network, options.threads));
  std::optional<CalibrationSet> check;
  if (!args.check.empty()) {
    FOGLINE_TRY(check, ReadCalibrationSet(args.check, DepthOf(args.recursive), args.labels, 0,
                                          network, options.threads));
    options.check = &*check;
  }
  std::unique_ptr<Progress> progress;
  options.progress = [&](std::string_view stage) {
    progress = std::make_unique<Progress>(std::string(stage), 1);
  };
  auto made = Quantize(network, set, options);
  progress.reset();
  FOGLINE_TRY(const QuantizeReport report, std::move(made));
  FOGLINE_CHECK(WriteFile(args.out, std::as_bytes(std::span(report.model))));
  FOGLINE_CHECK(WriteCard(args.model.path, args.out,
                          {network.model.hash(), report.agreement,
                           static_cast<int64_t>(report.pictures), report.two_fold}));
  if (set.pictures.size() < 32) {
    LogWarning("{}: {} pictures say little of what ranges are to come; 100 or more do",
               args.images.string(), set.pictures.size());
  }
  if (report.unlike()) {
    LogWarning(
        "{}: {:.2f} % of values leave their ranges on other pictures, {:.3f} % on these: they are "
        "unlike each other, add some of the others",
        args.images.string(),
        100 * std::max(report.beyond, report.check ? report.check->beyond : 0),
        100 * report.beyond_own);
  }
  if (args.json) {
    fmt::print("{}\n", Dump(ToJson(args.out, report)));
  } else {
    Print(args.out, report);
  }
  return {};
}

}  // namespace

void AddQuantize(CommandLine& line) {
  Command command = AddHere(line, "quantize");
  auto args = std::make_shared<QuantizeArgs>();
  AddModelArgs(command, args->model);
  command.Add("--images", args->images, "folder of pictures like those to come").Required();
  AddRecursive(command, args->recursive);
  command
      .Add("--check", args->check,
           "folder of other pictures, like those to come: what is measured is measured on them too")
      .Type("DIR");
  command
      .Add("--labels", args->labels, "lines of file, tab, class (label or number): adds accuracy")
      .Type("TSV");
  command.Add("--out", args->out, "the ONNX file to write, its card beside it as .toml")
      .Required()
      .Type("FILE");
  command
      .Add("--for", args->target,
           "any (exact on every machine), x86 (with VNNI) or arm: weights in all of their 8 bits")
      .Type("MACHINE");
  command
      .Add("--min-agreement", args->min_agreement,
           "below it, the layers that cost most stay float until it is reached (default 0.93)")
      .Type("SHARE")
      .Within(0, 1);
  command
      .Add("--before", args->before,
           "only layers in front of this cut compute in integers: the half of the edge")
      .Type("CUT");
  command.Add("--behind", args->behind, "only layers behind this cut do: the half of the cloud")
      .Type("CUT");
  command.Add("--max-images", args->most, "use at most this many pictures, spread evenly");
  command.Add("--threads", args->threads, "0: every core").Range(0, 1024);
  AddCommon(command, *args);
  command.Example("fogline quantize mine.onnx --images photographs/ --out mine-int8.onnx",
                  "in 8-bit integers, with what that gains and costs");
  SetAction(command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
