#include "fogline/cost.h"

#include "api/bridge.h"
#include "base/file.h"
#include "cost/fleet_json.h"
#include "cost/paper_tables.h"

namespace fogline {
namespace {

Result<v1::FleetPlan> PlanOf(const std::string& text, const std::string& where) {
  if (IsPaperScenario(text)) {
    return Fail(ErrorCode::kUnsupported, where, "is the paper's scenario, which has no fleet");
  }
  FOGLINE_TRY(const Fleet fleet, ParseFleet(text, where));
  FOGLINE_TRY(const FleetPlan plan, PlanFleet(fleet));
  v1::FleetPlan out;
  out.title = fleet.title;
  out.devices = plan.devices;
  out.euro_month = plan.euro_month;
  out.lower_bound_euro = plan.lower_bound;
  out.exact = plan.exact;
  out.instances = plan.pool.instances;
  out.uniform = plan.uniform;
  out.uniform_euro_month = plan.uniform_euro_month;
  for (size_t g = 0; g < plan.choice.size(); ++g) {
    const FleetGroup& group = fleet.groups[g];
    const FleetOption& option = group.options[plan.choice[g]];
    const Bill& b = plan.bills[g];
    out.groups.push_back({group.name, option.name, option.edge.name, group.devices, b.hardware,
                          b.energy, b.data, b.cloud, b.broker, b.storage, b.total(), b.low,
                          b.high});
  }
  out.json = ToJson(FleetView{fleet, plan, {}});
  return out;
}

Result<v1::FleetPlan> PlanFile(const std::string& path) {
  FOGLINE_TRY(const std::string text, ReadTextFile(path));
  return PlanOf(text, path);
}

}  // namespace

namespace v1 {

Result<FleetPlan> PlanFleet(const std::string& path) { return Outside(PlanFile(path)); }
Result<FleetPlan> PlanFleetText(const std::string& toml) {
  return Outside(PlanOf(toml, "scenario.toml"));
}

}  // namespace v1
}  // namespace fogline
