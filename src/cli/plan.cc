#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/plan_args.h"
#include "cli/plan_show.h"
#include "cost/fleet_cost.h"
#include "pages/plan_page.h"
#include "plan/plan_json.h"
#include "plan/policy.h"
#include "plan/precision.h"

namespace fogline::cli {
namespace {

Status RunPlan(const PlanArgs& args) {
  const size_t comma = args.pareto.find(',');
  if (comma == std::string::npos) {
    return Fail(ErrorCode::kUsage, "--pareto", "takes two measures, as in latency,cost");
  }
  FOGLINE_TRY(const Measure x, ParseMeasure(args.pareto.substr(0, comma)));
  FOGLINE_TRY(const Measure y, ParseMeasure(args.pareto.substr(comma + 1)));
  FOGLINE_TRY(const auto inputs, LoadPlanInputs(args));
  const Nanos start = Clock::Real().Steady();
  std::vector<Precision> precisions;
  for (const auto& one : inputs) {
    precisions.push_back({one->network.path.string(), &one->scenario, MakePlan(one->scenario)});
  }
  FOGLINE_TRY(const size_t chosen, ChoosePrecision(precisions));
  const PlanInput* input = inputs[chosen].get();
  const Plan& plan = *precisions[chosen].plan;
  PlanView view{input->scenario, plan, {}, {}, x, y, {}, 0, {}};
  view.plan_ms = Millis(Clock::Real().Steady() - start);
  view.precision = PrecisionTexts(precisions, chosen);
  if (args.all) {
    for (size_t i = 0; i < plan.candidates.size(); ++i) view.shown.push_back(i);
  } else {
    view.shown = plan.BestOfEachCut();
  }
  if (args.explain || !args.html.empty()) view.explanations = Explain(input->scenario, plan);
  if (args.explain || args.devices > 0) view.rivals = Rivals(input->scenario, plan);
  view.front = ParetoFront(plan, x, y);
  if (!args.html.empty()) {
    FOGLINE_CHECK(WriteFile(args.html, PlanPage(view, input->network.path.filename().string())));
  }
  std::optional<Policy> policy;
  if (!args.policy.empty()) {
    FOGLINE_TRY(policy, PolicyOf(input->scenario, plan));
    FOGLINE_CHECK(WriteFile(args.policy, policy->ToJson()));
  }
  if (args.json) {
    auto json = PlanJson(view);
    if (inputs.size() > 1) json["precision"] = PrecisionJson(precisions, chosen);
    if (args.devices > 0) json["fleet"] = FleetJson(view, args.devices);
    fmt::print("{}\n", Dump(json));
  } else {
    if (!args.explain) view.explanations.clear();
    fmt::print("{}", PlanText(view, StdoutStyle()));
    if (args.devices > 0) fmt::print("{}", FleetText(view, args.devices));
    if (!args.html.empty()) fmt::print("Written to {}.\n", args.html.string());
    if (policy) {
      fmt::print("A policy of {} routes is written to {}.\n", policy->routes.size(),
                 args.policy.string());
    }
  }
  return {};
}

}  // namespace

void AddPlan(CommandLine& line) {
  Command command = line.Add(
      "plan", "Finds the best line between edge and cloud, proves it, and says where it moves");
  auto args = std::make_shared<PlanArgs>();
  AddPlanArgs(command, *args);
  command
      .Example("fogline plan models/litter.onnx --edge raspberry-pi-4 --cloud t2.micro --link 4g",
               "for the least latency; fogline machines and fogline links list the names")
      .Example(
          "fogline plan models/litter.onnx --edge mine.json --cloud c7g.large --link 4g,up=3Mbps "
          "--objective cost --max-latency 200",
          "for money, on a machine that was measured, over a slower link")
      .Example(
          "fogline plan models/litter.onnx --edge raspberry-pi-4 --cloud t2.micro --link drive.csv "
          "--policy-file models/litter.policy",
          "what edge --mechanism auto may choose from, by a recorded uplink");
  SetAction(command, args, [args] { return RunPlan(*args); });
}

}  // namespace fogline::cli
