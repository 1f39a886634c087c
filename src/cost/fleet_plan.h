// What every group of a fleet should run, chosen together.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/bill.h"
#include "cost/fleet.h"

namespace fogline {

/// How many instances a mix of messages needs, and what they cost.
struct PoolUse {
  double instances = 0;
  double euro_month = 0;  // surplus credits included
  double surplus_euro = 0;
  double cores = 0;        // kept busy
  double wait_p95_ms = 0;  // in the queue of an instance
  bool feasible = true;    // false: no number of instances keeps the waiting that short
};

/// The pool for the chosen options (one a group), each instance with its own queue (M/G/c of the
/// mix, queueing.h), at most `cap` of it busy, and no group's latency target broken. A burstable
/// instance stays within its credits or buys surplus, whichever is cheaper.
PoolUse UsePool(const Fleet& fleet, const std::vector<size_t>& choice);

/// Devices that one instance serves when all run `option` as `group` does.
double UsersPerInstance(const Fleet& fleet, const FleetGroup& group, const FleetOption& option);

struct FleetPlan {
  std::vector<size_t> choice;  // by group, into its options
  std::vector<Bill> bills;     // a device of each group
  PoolUse pool;
  double euro_month = std::numeric_limits<double>::infinity();  // the whole fleet
  /// No choice is cheaper, not even one that gives a group's devices different options. Equals
  /// euro_month for a plan proven exact apart from such splitting.
  double lower_bound = 0;
  bool exact = false;  // every choice of one option a group was searched or excluded
  int64_t searched = 0;
  std::string uniform;  // name of the best option that all groups share; empty: none is feasible
  double uniform_euro_month = std::numeric_limits<double>::infinity();

  double devices = 0;
};

/// Branch and bound over the choices. kConflict when a group has no option that sustains its rate
/// and its target; the message says what would do.
Result<FleetPlan> PlanFleet(const Fleet& fleet, int64_t most_nodes = 2'000'000);

}  // namespace fogline
