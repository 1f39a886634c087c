#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/plan_args.h"
#include "cli/plan_show.h"

namespace fogline::cli {
namespace {

Status RunPlan(const PlanArgs& args) {
  const size_t comma = args.pareto.find(',');
  if (comma == std::string::npos) {
    return Fail(ErrorCode::kUsage, "--pareto", "takes two measures, as in latency,cost");
  }
  FOGLINE_TRY(const Measure x, ParseMeasure(args.pareto.substr(0, comma)));
  FOGLINE_TRY(const Measure y, ParseMeasure(args.pareto.substr(comma + 1)));
  FOGLINE_TRY(const auto input, LoadPlanInput(args));
  const Nanos start = Clock::Real().Steady();
  FOGLINE_TRY(const Plan plan, MakePlan(input->scenario));
  PlanView view{input->scenario, plan, {}, {}, x, y, {}, 0};
  view.plan_ms = Millis(Clock::Real().Steady() - start);
  if (args.all) {
    for (size_t i = 0; i < plan.candidates.size(); ++i) view.shown.push_back(i);
  } else {
    view.shown = plan.BestOfEachCut();
  }
  if (args.explain || !args.html.empty()) view.explanations = Explain(input->scenario, plan);
  view.front = ParetoFront(plan.candidates, x, y);
  if (!args.html.empty()) {
    FOGLINE_CHECK(WriteFile(args.html, PlanPage(view, args.model.path.filename().string())));
  }
  if (args.json) {
    fmt::print("{}\n", PlanJson(view));
  } else {
    if (!args.explain) view.explanations.clear();
    fmt::print("{}", PlanText(view, StdoutStyle()));
    if (!args.html.empty()) fmt::print("Written to {}.\n", args.html.string());
  }
  return {};
}

}  // namespace

void AddPlan(CLI::App& app) {
  auto* command = app.add_subcommand(
      "plan", "Finds the best line between edge and cloud, proves it, and says where it moves");
  auto args = std::make_shared<PlanArgs>();
  AddPlanArgs(*command, *args);
  SetAction(*command, args, [args] { return RunPlan(*args); });
}

}  // namespace fogline::cli
