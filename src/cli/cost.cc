#include <fmt/format.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/cost_show.h"

namespace fogline::cli {
namespace {

struct CostArgs : Common {
  std::filesystem::path scenario, html;
  std::vector<std::string> sweep;
};

Status RunPaper(const CostArgs& args, const std::string& text) {
  if (!args.sweep.empty()) {
    return Fail(ErrorCode::kUsage, "--sweep", "needs a scenario with groups, not the paper's");
  }
  FOGLINE_TRY(const PaperConstants constants, ParsePaperConstants(text, args.scenario.string()));
  FOGLINE_TRY(const PaperTables tables, MakePaperTables(constants, text));
  if (!args.html.empty()) FOGLINE_CHECK(WriteFile(args.html, PaperPage(tables, constants)));
  fmt::print("{}", args.json ? PaperJson(tables) + "\n" : PaperText(tables, StdoutStyle()));
  return {};
}

Status RunFleet(const CostArgs& args, const std::string& text) {
  std::vector<SweepAxis> axes;
  for (const std::string& word : args.sweep) {
    FOGLINE_TRY(SweepAxis axis, ParseSweepAxis(word));
    for (const SweepAxis& other : axes) {
      if (other.key == axis.key) {
        return Fail(ErrorCode::kUsage, "--sweep", "names {} twice", axis.key);
      }
    }
    axes.push_back(std::move(axis));
  }
  if (axes.size() > 3) return Fail(ErrorCode::kUsage, "--sweep", "takes at most three ranges");
  FOGLINE_TRY(const Fleet fleet, ParseFleet(text, args.scenario.string()));
  FOGLINE_TRY(const FleetPlan plan, PlanFleet(fleet));
  FleetView view{fleet, plan, {}};
  if (!axes.empty()) view.sweep = RunSweep(fleet, axes);
  if (!args.html.empty()) FOGLINE_CHECK(WriteFile(args.html, FleetPage(view)));
  fmt::print("{}", args.json ? ToJson(view) + "\n" : FleetText(view, StdoutStyle()));
  return {};
}

Status RunCost(const CostArgs& args) {
  FOGLINE_TRY(const std::string text, ReadTextFile(args.scenario));
  return IsPaperScenario(text) ? RunPaper(args, text) : RunFleet(args, text);
}

}  // namespace

void AddCost(CommandLine& line) {
  Command command = line.Add("cost", "What a fleet costs: the paper's tables, and yours");
  auto args = std::make_shared<CostArgs>();
  AddCommon(command, *args);
  command.Add("scenario", args->scenario, "a scenario's TOML file")
      .Required()
      .Type("SCENARIO.toml");
  command.Add("--html", args->html, "write a page with figure 10").Type("FILE");
  command
      .Add("--sweep", args->sweep,
           "plan over ranges: rate, devices, data_price, electricity, months")
      .Type("KEY=LOW:HIGH");
  command.Example("fogline cost scenarios/paper.toml --html money.html",
                  "the paper's tables beside ours, as a page");
  SetAction(command, args, [args] { return RunCost(*args); });
}

}  // namespace fogline::cli
