// What an edge may choose from while it runs: routes with their prices, made by a plan.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/route.h"
#include "plan/planner.h"
#include "plan/scenario.h"

namespace fogline {

/// Milliseconds that a byte takes at so many Mbit/s; of milliseconds a byte, the Mbit/s.
constexpr double MsPerByteAt(double mbps) { return 0.008 / mbps; }

/// A route and what a picture costs that goes it. Times in milliseconds; means over pictures, those
/// among them that leave at the route's gate.
struct PolicyRoute {
  Route route;
  double edge_ms = 0;     // layers and coding on the device
  double bytes = 0;       // of the message, headers included
  double cloud_ms = 0;    // decoding and layers in an idle cloud
  double sure_share = 0;  // of pictures that leave at the gate; 0: the route has none
  // Where the plan's limits hold: on an uplink of so many Mbit/s and more, and up to such a share
  // of the cloud's time taken by others. Nothing: everywhere.
  std::optional<double> least_mbps, most_load;
};

struct Policy {
  static constexpr int kVersion = 1;
  static constexpr size_t kMostRoutes = 16;

  std::string device;     // the machine that the times are of, as `plan --edge` named it
  std::string processor;  // its processor's name where it was measured; empty: a library's times
  // SHA-256 in hexadecimal digits, of the model and of the calibration that bytes and codecs are of
  // (empty: there was none).
  std::string model, bundle;
  std::vector<PolicyRoute> routes;

  /// As JSON, which Parse reads.
  std::string ToJson() const;
  /// kInvalid names what is missing, of the wrong kind or beyond all measure; kUnsupported for a
  /// version that this build does not know.
  static Result<Policy> Parse(std::string_view text, const std::string& where);
};

/// As few of the plan's candidates as are within 2 % of the best of them at every uplink from 10
/// kbit/s to 1 Gbit/s and every load of the cloud, and with them whatever runs wholly on the edge.
/// Only what edge and cloud run, and what keeps to the limits somewhere. kUsage where the plan's
/// objective is not latency, which is what steering weighs; kConflict where nothing is left.
Result<Policy> PolicyOf(const Scenario& scenario, const Plan& plan);

}  // namespace fogline
