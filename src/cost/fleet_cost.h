// What a fleet costs a month when all its devices run one candidate of a plan.
#pragma once

#include "base/json.h"
#include "cost/bill.h"
#include "cost/fleet_plan.h"
#include "plan/plan_json.h"

namespace fogline {

/// Differs from Candidate::month times the devices in one way: instances are rented whole.
struct FleetCost {
  Bill bill;  // a device's
  PoolUse pool;
  double euro_month = 0;        // the whole fleet; infinite when no pool is large enough
  double images_sustained = 0;  // a device and second, by the slowest of its stages
};

/// The fleet rents a pool of the scenario's cloud machine for itself. A machine without price or
/// power costs nothing there.
FleetCost FleetOf(const Scenario& scenario, const Candidate& candidate, double devices);

/// Of the plan and of its rivals; docs/openapi.yaml, schema FleetCost.
Json FleetJson(const PlanView& view, double devices);

}  // namespace fogline
