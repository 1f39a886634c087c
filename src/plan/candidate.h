// One cut with one codec, and all it costs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/stats.h"
#include "plan/envelope.h"
#include "plan/payload.h"
#include "plan/scenario.h"

namespace fogline {

/// Where one picture's time goes.
struct LatencyTerms {
  Milliseconds edge, encode, uplink, decode, cloud, downlink;

  Milliseconds total() const { return edge + encode + uplink + decode + cloud + downlink; }
};

/// A limit that a candidate breaks.
struct Violation {
  std::string limit;  // the flag that set it
  double have = 0;    // what the candidate has, in the flag's unit; NaN: not known
  double wanted = 0;
  double excess = 0;  // relative
};

struct Candidate {
  size_t cut = 0;  // in Scenario::cuts
  PayloadOption payload;
  LatencyTerms latency;
  Milliseconds latency_p95;       // measured spread and the link's trace where there are any
  std::optional<Summary> uplink;  // over a recorded trace, without the delay
  Milliseconds period;            // of a pipeline: the slowest of edge, link and cloud
  Bytes up, down;
  Bytes memory;        // of the edge
  Millijoules energy;  // of the edge, an image
  Euro month;
  Price price;               // under the objective
  PriceLine over_bandwidth;  // the same as a line in 1 / (uplink Mbit/s)
  PriceLine over_load;       // and in the cloud's slowdown, 1 / (1 − load)
  std::vector<Violation> violations;

  bool feasible() const { return violations.empty(); }
};

/// Every allowed (cut, codec) pair of the scenario, cut by cut. A cut without any allowed codec is
/// left out.
std::vector<Candidate> EnumerateCandidates(const Scenario& scenario);

/// The pairs of one cut only.
std::vector<Candidate> CandidatesAt(const Scenario& scenario, size_t cut);

}  // namespace fogline
