// fogline cascade: a little network on the edge, a big one for what it is not sure of.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "cli/flags.h"
#include "cli/lab/promises_view.h"
#include "cli/lab/score_view.h"
#include "cli/skipped.h"
#include "learn/fit_cascade.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct CascadeArgs : Common {
  FitCascadeOptions fit;
};

Json ToJson(const FitCascadeReport& report) {
  const Cascade& cascade = report.cascade;
  return {{"little", cascade.little.string()},
          {"file", report.file.string()},
          {"work", report.work},
          {"temperature", cascade.temperature},
          {"agreement", report.agreement},
          {"pictures_fitted", report.fitted},
          {"pictures_measured", cascade.gate.pictures},
          {"steps", StepsToJson(cascade.gate)},
          {"promises", PromisesToJson(cascade.gate, 1)},
          {"skipped", SkippedToJson(report.skipped)}};
}

void Print(const FitCascadeReport& report) {
  const EarlyExit& gate = report.cascade.gate;
  fmt::print("{} takes {:.0f} % of the work and says the same of {:.1f} % of {} pictures\n\n",
             Printable(gate.at), 100 * report.work, 100 * report.agreement, gate.pictures);
  Table table({{"may differ", true}, {Printable(gate.at)}});
  for (const double most : kPromisedShares) {
    table.Add({fmt::format("{:g} %", 100 * most), PromiseInWords(gate, most, 1)});
  }
  fmt::print("{}\n", table.ToText(StdoutStyle()));
  const auto none = PromiseOf(gate, kPromisedShares[0], 1);
  if (!none) fmt::print("{}\n", none.error().ToString());
  fmt::print("{} written\n", report.file.string());
}

Status RunCascade(const CascadeArgs& args) {
  StageProgress progress;
  auto fitted = FitCascade(args.fit, [&](std::string_view stage, size_t, size_t total) {
    progress.Advance(stage, total);
  });
  progress.Wipe();
  FOGLINE_TRY(const FitCascadeReport report, std::move(fitted));
  LogSkipped(report.skipped);
  if (args.json) {
    fmt::print("{}\n", Dump(ToJson(report)));
  } else {
    Print(report);
  }
  return {};
}

}  // namespace

void AddCascade(CommandLine& line) {
  Command command = AddHere(line, "cascade");
  auto args = std::make_shared<CascadeArgs>();
  command.Add("LITTLE", args->fit.little, "the ONNX classifier that the edge runs").Required();
  command
      .Add("BIG", args->fit.big,
           "the one that the cloud runs, of the same classes; MODEL.cascade is written beside it")
      .Required();
  command
      .Add("--images", args->fit.images,
           "a folder of pictures without labels: heads are held against what BIG says")
      .Required();
  command.AddFlag("--recursive", args->fit.recursive, "the pictures in sub-folders too");
  command.Add("--threads", args->fit.threads, "threads; 0 uses every core")
      .Range(0, 256)
      .ShowDefault();
  AddCommon(command, *args);
  command.Example("fogline cascade little.onnx big.onnx --images photographs/",
                  "how sure the little one must be to answer for the big one");
  SetAction(command, args, [args] { return RunCascade(*args); });
}

}  // namespace fogline::cli
