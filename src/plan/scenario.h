// Everything a plan is made for.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "codec/agreement.h"
#include "codec/bundle.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "plan/pricing.h"
#include "profile/link.h"
#include "profile/machine.h"
#include "profile/timing.h"
#include "vision/contract.h"
#include "vision/exits.h"

namespace fogline {

/// What a plan must keep to. Absent limits do not bind.
struct Limits {
  std::optional<Milliseconds> latency;
  bool latency_at_p95 = false;  // the limit holds for the 95th percentile instead of the typical
  std::optional<double> agreement;    // with the unsplit model, calibrated or exact
  std::optional<double> accuracy;     // top-1 with labels
  std::optional<double> metric;       // the user's own, as calibration measured it
  std::optional<Euro> month;          // a device and month
  std::optional<Bytes> memory;        // of the edge: weights and the largest activations
  std::optional<Bytes> uplink_month;  // sent by a device in a month
  bool never_send_input = false;
  /// Layers that may not run in the cloud, so that nothing before them leaves (by node; empty: no
  /// such wish). A downward closed set: a cut's edge side.
  std::vector<bool> keep_on_edge;
  /// The flags that are set, in the order of the help.
  std::vector<std::string> Flags() const;
};

/// An early exit that pictures may take, and what is promised of it.
struct PlannedGate {
  std::string at;  // as people write the place; of a cascade the little network's name
  Cut cut;         // where its tensor crosses, alone; of a cascade none
  GatePromise promise;
  /// What the little network of a cascade takes on the edge, before a cloud-only route.
  struct Little {
    Milliseconds time;
    Bytes memory;
  };
  std::optional<Little> little = std::nullopt;
};

struct Scenario {
  const Model* model = nullptr;
  ModelContract contract;  // of the model
  std::vector<Cut> cuts;   // ListCuts(model)
  Machine edge, cloud;
  std::string edge_processor;        // where the edge's times were measured; empty: elsewhere
  Timing edge_timing, cloud_timing;  // of the model on either machine
  LinkProfile link;
  const Bundle* bundle = nullptr;   // calibrated on this model, or none
  std::vector<std::string> codecs;  // empty: every one that applies but JSON
  Objective objective;
  Operation operation;
  Limits limits;
  /// Share of pictures of which the network itself says the same as the one that it stands for: one
  /// in integers as the float one. What a codec or an exit changes comes on top.
  double network_agreement = 1;
  std::vector<PlannedGate> gates;  // empty: every picture goes to its cut
  /// Codecs that are known to agree less are left alone, and those of which nothing is known but
  /// that they change something, unless a limit or `codecs` says what is wanted instead.
  double least_agreement = kLeastAgreement;
  /// Recommend the cheapest even when another within the uncertainty of the times changes fewer
  /// verdicts.
  bool strict = false;
  /// Recommend what edge and cloud do not run yet, too.
  bool ideal = false;

  /// Of a codec's agreement with the network, that with the one that it stands for: no more
  /// pictures can differ.
  double AgreementOf(double with_network) const {
    return std::max(0.0, with_network - (1 - network_agreement));
  }
};

}  // namespace fogline
