// fogline lab: experiments for real, beside what the plan said of them.
#include "lab/lab.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/elsewhere.h"
#include "lab/adapt.h"
#include "lab/results.h"
#include "report/table.h"

namespace fogline::cli {
namespace {

struct LabArgs : Common {
  LabOptions lab;
};

void Print(const LabResult& result) {
  Table table({{"experiment"},
               {"wire"},
               {"cut"},
               {"codec"},
               {"bytes", true},
               {"measured ms", true},
               {"forecast", true},
               {"error", true},
               {"spread", true},
               {"true total", true}});
  for (const Bar& bar : result.bars) {
    const SuiteExperiment& e = result.suite.experiments[bar.experiment];
    table.Add({e.key, std::string(NameOf(bar.wire)), bar.cut, bar.codec,
               fmt::format("{:.0f}", bar.bytes), fmt::format("{:.2f}", bar.measured_ms),
               fmt::format("{:.2f}", bar.forecast.total()), Percent(bar.error()),
               Percent(bar.spread), fmt::format("{:.2f}", bar.true_ms)});
  }
  fmt::print("{}\n", table.ToText(StdoutStyle()));
  for (const PlanChoice& c : result.choices) {
    fmt::print("{} {}: planned {}, fastest {}, regret {}\n",
               result.suite.experiments[c.experiment].key, NameOf(c.wire),
               result.bars[c.planned].cut, result.bars[c.best].cut, Percent(c.regret));
  }
  fmt::print("{}\n", SummaryLine(result));
}

/// Steering is reckoned, not measured: no suite, and another report.
Status RunAdapt(const LabArgs& args) {
  FOGLINE_TRY(const AdaptReport report, WriteAdaptLab({args.lab.out, args.lab.data}));
  if (args.json) {
    fmt::print("{}\n", AdaptJson(report));
  } else {
    fmt::print("{}Written to {}: report.html and results.json\n", AdaptText(report),
               args.lab.out.string());
  }
  return {};
}

Status Run(const LabArgs& args) {
  if (args.lab.suite == "adapt") return RunAdapt(args);
  FOGLINE_TRY(const LabResult result, RunLab(args.lab));
  FOGLINE_CHECK(WriteResults(result, args.lab.out));
  if (args.json) {
    fmt::print("{}\n", ResultsJson(result));
  } else {
    Print(result);
    fmt::print("Written to {}: report.html, results.json, .csv and .md, trace.json\n",
               args.lab.out.string());
  }
  return {};
}

}  // namespace

void AddLab(CommandLine& line) {
  Command command = AddHere(line, "lab");
  auto args = std::make_shared<LabArgs>();
  command
      .Add("SUITE", args->lab.suite,
           "paper, loopback, traces, capacity, a .toml, or adapt: fixed routes, steering and a "
           "clairvoyant over recorded and made-up uplinks")
      .Required();
  command
      .Add("--out", args->lab.out,
           "folder for results; what it holds already is not measured again")
      .Required();
  command.Add("--data", args->lab.data,
              "folder of files that the suite names and that do not come with Fogline");
  command.AddFlag("--quick", args->lab.quick, "few pictures: a look, no figures to publish");
  AddCommon(command, *args);
  command
      .Example("fogline lab paper --out out/",
               "the paper's experiments on shaped links, beside their forecasts")
      .Example("fogline lab loopback --out out/ --quick", "a short look, no figures to publish");
  SetAction(command, args, [args] { return Run(*args); });
}

}  // namespace fogline::cli
