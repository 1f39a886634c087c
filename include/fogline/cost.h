// Fleets and money: what every group of devices should run, chosen together.
#pragma once

#include <string>
#include <vector>

#include "fogline/result.h"

namespace fogline::v1 {

/// What one group runs, in euro a device and month.
struct FleetChoice {
  std::string group, option, edge;  // names of the scenario
  double devices = 0;
  double hardware = 0, energy = 0, data = 0, cloud = 0, broker = 0, storage = 0;
  double total = 0, low = 0, high = 0;  // all of it, and a 90 % band
};

struct FleetPlan {
  std::string title;
  std::vector<FleetChoice> groups;
  double devices = 0;
  double euro_month = 0;        // the whole fleet
  double lower_bound_euro = 0;  // no choice is cheaper
  bool exact = false;
  double instances = 0;  // rented in the cloud
  std::string uniform;   // the best option that all groups share; empty: none is feasible
  double uniform_euro_month = 0;
  std::string json;  // all of it, as `fogline cost --json` prints it
};

/// Plans a fleet from a scenario (docs/economics.md): a file, or its text; paths within are then
/// taken from the working directory. kInvalid names the key at fault; kConflict a group that
/// nothing suits, and what would do.
FOGLINE_API Result<FleetPlan> PlanFleet(const std::string& path);
FOGLINE_API Result<FleetPlan> PlanFleetText(const std::string& toml);

}  // namespace fogline::v1
