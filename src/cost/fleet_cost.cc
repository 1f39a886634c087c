#include "cost/fleet_cost.h"

#include <cmath>
#include <limits>

#include "base/json.h"
#include "cost/fleet_network.h"

namespace fogline {
namespace {

Json ToJson(const FleetCost& f) {
  const bool possible = std::isfinite(f.euro_month);
  return {{"euro_month", possible ? Json(f.euro_month) : Json()},
          {"instances", f.pool.instances},
          {"wait_p95_ms", f.pool.feasible ? Json(f.pool.wait_p95_ms) : Json()},
          {"images_sustained", f.images_sustained},
          {"device_month",
           {{"hardware", f.bill.hardware},
            {"energy", f.bill.energy},
            {"data", f.bill.data},
            {"cloud", possible ? Json(f.bill.cloud) : Json()}}}};
}

}  // namespace

FleetCost FleetOf(const Scenario& s, const Candidate& c, double devices) {
  FleetOption option = OptionOf(s, c);
  if (!option.edge.purchase) option.edge.purchase = Euro(0);
  if (!option.edge.power) option.edge.power = Power{};

  Fleet fleet;
  fleet.euro_per_kwh = s.operation.electricity.value();
  fleet.hardware_months = s.operation.lifetime_months;
  fleet.pool.name = s.cloud.name;
  fleet.pool.rent = s.cloud.rent.value_or(Rent{});
  fleet.pool.cap = s.operation.fill;
  fleet.pool.ignore_credits = s.operation.ignore_credits;
  FleetGroup& group = fleet.groups.emplace_back();
  group.devices = devices;
  group.images_per_second = s.operation.images_per_second;
  group.link = s.link;
  group.options.push_back(option);

  FleetCost result;
  result.bill = PrivateBill(fleet, group, option);
  if (c.down > Bytes(0)) {  // which the fleets of scenario files do not have
    const Bytes down = (c.down + kMessageOverhead) * s.operation.images_per_month();
    result.bill.data += (s.link.price * down).value();
  }
  result.pool = UsePool(fleet, {0});
  const double cloud =
      result.pool.feasible ? result.pool.euro_month : std::numeric_limits<double>::infinity();
  AddCloud(option, cloud / devices, result.bill);
  result.euro_month = result.bill.total() * devices;
  result.images_sustained = 1000 / c.period.value();
  return result;
}

Json FleetJson(const PlanView& view, double devices) {
  const Scenario& s = view.scenario;
  Json json{{"devices", devices},
            {"images_month", devices * s.operation.images_per_month()},
            {"plan", ToJson(FleetOf(s, view.plan.candidates[view.plan.best], devices))},
            {"rivals", Json::array()}};
  for (const Rival& rival : view.rivals) {
    Json entry = ToJson(FleetOf(s, rival.candidate, devices));
    entry["key"] = rival.key;
    json["rivals"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace fogline
