// Everything a plan is made for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/bundle.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "plan/pricing.h"
#include "profile/link.h"
#include "profile/machine.h"
#include "profile/timing.h"

namespace fogline {

/// What a plan must keep to. Absent limits do not bind.
struct Limits {
  std::optional<Milliseconds> latency;
  bool latency_at_p95 = false;  // the limit holds for the 95th percentile instead of the typical
  std::optional<double> agreement;    // top-1 with the unsplit model, calibrated or exact
  std::optional<double> accuracy;     // top-1 with labels
  std::optional<Euro> month;          // a device and month
  std::optional<Bytes> memory;        // of the edge: weights and the largest activations
  std::optional<Bytes> uplink_month;  // sent by a device in a month
  bool never_send_input = false;
  /// Layers that may not run in the cloud, so that nothing before them leaves (by node; empty: no
  /// such wish). A downward closed set: a cut's edge side.
  std::vector<bool> keep_on_edge;
  /// Calibrated codecs below this agreement are left alone unless `agreement` asks otherwise.
  double least_calibrated_agreement = 0.9;
};

struct Scenario {
  const Model* model = nullptr;
  std::vector<Cut> cuts;  // ListCuts(model)
  Machine edge, cloud;
  Timing edge_timing, cloud_timing;  // of the model on either machine
  LinkProfile link;
  const Bundle* bundle = nullptr;   // calibrated on this model, or none
  std::vector<std::string> codecs;  // empty: every one that applies but JSON
  Objective objective;
  Operation operation;
  Limits limits;
};

}  // namespace fogline
