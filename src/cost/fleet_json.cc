#include "cost/fleet_json.h"

#include <cmath>

#include "base/json.h"

namespace fogline {
namespace {

Json BillJson(const Bill& b) {
  return {{"hardware", b.hardware}, {"energy", b.energy}, {"data", b.data},
          {"cloud", b.cloud},       {"broker", b.broker}, {"storage", b.storage},
          {"total", b.total()},     {"low", b.low},       {"high", b.high}};
}

Json Finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

Bill BillAlone(const Fleet& fleet, const FleetGroup& group, const FleetOption& option) {
  Fleet one;
  one.pool = fleet.pool;
  one.groups = {group};
  one.groups[0].options = {option};
  Bill bill = PrivateBill(fleet, group, option);
  const PoolUse use = UsePool(one, {0});
  AddCloud(option, use.feasible ? use.euro_month / group.devices : NAN, bill);
  return bill;
}

std::string ToJson(const FleetView& view) {
  const FleetPlan& p = view.plan;
  Json json{{"devices", p.devices},
            {"month_euro", p.euro_month},
            {"lower_bound_euro", p.lower_bound},
            {"exact", p.exact},
            {"uniform", {{"option", p.uniform}, {"month_euro", Finite(p.uniform_euro_month)}}},
            {"pool",
             {{"instances", p.pool.instances},
              {"month_euro", p.pool.euro_month},
              {"surplus_euro", p.pool.surplus_euro},
              {"busy_cores", p.pool.cores},
              {"wait_p95_ms", p.pool.wait_p95_ms}}}};
  for (size_t g = 0; g < p.choice.size(); ++g) {
    const FleetGroup& group = view.fleet.groups[g];
    Json one{{"option", group.options[p.choice[g]].name},
             {"edge", group.options[p.choice[g]].edge.name},
             {"device_month_euro", BillJson(p.bills[g])}};
    for (const FleetOption& o : group.options) {
      one["options"][o.edge.name][o.name] = {
          {"latency_ms", ServiceLatencyMs(group, o)},
          {"sustained_per_second", Finite(SustainedRate(group, o))},
          {"users_per_instance", Finite(UsersPerInstance(view.fleet, group, o))},
          {"device_month_euro", BillJson(BillAlone(view.fleet, group, o))}};
    }
    json["groups"][group.name] = std::move(one);
  }
  if (view.sweep) {
    json["sweep"] = Json::array();
    for (const SweepPoint& s : view.sweep->points) {
      Json point = Json::object();
      for (size_t i = 0; i < s.at.size(); ++i) point[view.sweep->axes[i].key] = s.at[i];
      point["device_month_euro"] = s.feasible ? Json(s.euro_device_month) : Json();
      point["instances"] = s.feasible ? Json(s.instances) : Json();
      point["choice"] = s.choice;
      json["sweep"].push_back(std::move(point));
    }
    json["break_evens"] = Json::array();
    for (const BreakEven& b : view.sweep->break_evens) {
      json["break_evens"].push_back({{"at", b.at}, {"text", b.text}});
    }
  }
  return Dump(json);
}

}  // namespace fogline
