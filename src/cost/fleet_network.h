// What a fleet's devices may run, from the plan of a network instead of figures typed in by hand.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cost/fleet.h"
#include "plan/candidate.h"
#include "plan/request.h"

namespace fogline {

/// The [network] of a scenario.
struct FleetNetwork {
  std::filesystem::path model;          // its bundle, if it has one, lies beside it
  std::map<std::string, Shape> shapes;  // of inputs with open dimensions
  std::vector<std::string> edge;        // as `fogline plan --edge` takes them
  std::string cloud;                    // the pool's machine
  PlanRequest request;                  // codecs and limits
  double result_share = 1;              // of the images whose result an edge-only device sends
  double stored_bytes = 0;
  /// Of a cloud core, to take and store any message: 23,907 a second and core were measured
  /// (`fogline lab capacity`, edge-only; docs/lab.md).
  double message_ms = 0.042;
  std::optional<double> time_spread;  // absent: the machine's own, what 90 % of left-out networks
                                      // of its fit keep to; a measured machine has none
  double bytes_spread = 0;
};

/// A candidate of a plan as a fleet sees it: coding and message headers included, the cloud's time
/// on one core without other load.
FleetOption OptionOf(const Scenario& scenario, const Candidate& candidate);

/// Every cut with every codec that keeps to the limits, on every device, but for those that another
/// equals or beats in edge time, cloud time and bytes: whatever is cheaper under some prices stays.
/// kInvalid and kUsage name the key of `where` at fault.
Result<std::vector<FleetOption>> OptionsOf(const FleetNetwork& network, const std::string& where);

}  // namespace fogline
