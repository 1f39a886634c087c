// A fleet's plan as JSON: what `fogline cost --json` prints.
#pragma once

#include <optional>
#include <string>

#include "cost/fleet_plan.h"
#include "cost/sweep.h"

namespace fogline {

/// Everything that is shown of one fleet.
struct FleetView {
  const Fleet& fleet;
  const FleetPlan& plan;
  std::optional<Sweep> sweep;
};

/// The bill of a device whose whole group runs this option and rents its own pool.
Bill BillAlone(const Fleet& fleet, const FleetGroup& group, const FleetOption& option);

/// Fields in docs/cli.md, fogline cost.
std::string ToJson(const FleetView& view);

}  // namespace fogline
