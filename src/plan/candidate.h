// One cut with one codec, and all it costs.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/stats.h"
#include "codec/route.h"
#include "plan/envelope.h"
#include "plan/payload.h"
#include "plan/scenario.h"

namespace fogline {

/// Where one picture's time goes.
struct LatencyTerms {
  Milliseconds edge, encode, uplink, decode, cloud, downlink;

  Milliseconds total() const { return edge + encode + uplink + decode + cloud + downlink; }
};

/// A price by whose time it is made of: the sum of the three, for a pipeline's period the largest.
struct PriceParts {
  Price edge, cloud, link;
  Price edge_spread, cloud_spread;  // what a half's measured 95th percentile would add
  bool largest = false;

  Price total() const { return largest ? std::max({edge, cloud, link}) : edge + cloud + link; }
};

/// A limit that a candidate breaks.
struct Violation {
  std::string limit;  // the flag that set it
  double have = 0;    // what the candidate has, in the flag's unit; NaN: not known
  double wanted = 0;
  double excess = 0;  // relative
};

/// One cut with one codec, and perhaps an early exit before it. With one, all that it costs is what
/// a picture costs on average: the measured share of sure ones ends at the exit with a result, the
/// others go on from there to the cut. Its agreement is that of the codec less all that the gate
/// may change: no more can differ.
struct Candidate {
  size_t cut = 0;              // in Scenario::cuts
  std::optional<size_t> gate;  // in Scenario::gates
  PayloadOption payload;
  LatencyTerms latency;
  /// Measured spread and the link's trace where there are any; with an exit, of the mixture of both
  /// kinds of picture.
  Milliseconds latency_p95;
  std::optional<Summary> uplink;  // over a recorded trace, without the delay
  Milliseconds period;            // of a pipeline: the slowest of edge, link and cloud
  Bytes up, down;                 // the payloads and what a frame says of each
  Bytes memory;                   // of the edge
  Millijoules energy;             // of the edge, an image
  Euro month;
  Price price;       // under the objective
  PriceParts parts;  // the same
  // The price as a line in x = 1 / (uplink Mbit/s) and in the cloud's stretch 1 / (1 − load); for a
  // pipeline the larger of the line's two terms. Each holds as long as the limits are kept, all
  // else as it is: up to most_x and most_stretch, negative where they never are.
  PriceLine over_bandwidth, over_load;
  double most_x = 0, most_stretch = 0;
  std::vector<Violation> violations;
  std::string not_runnable;  // why edge and cloud do not run it today; empty: they do

  bool feasible() const { return violations.empty(); }
  bool runnable() const { return not_runnable.empty(); }
};

/// What an edge is told to run it, with the input's size: edge-only sends its result however the
/// plan counts its bytes.
Route RouteOf(const Scenario& scenario, const Candidate& candidate);

/// Whether a codec keeps enough of what the network says to be considered without being asked for.
bool TakenUnasked(const Scenario& scenario, const PayloadOption& payload);

/// Every allowed (cut, codec) pair of the scenario, and each with every exit before it, cut by cut.
/// A cut without any allowed codec is left out.
std::vector<Candidate> EnumerateCandidates(const Scenario& scenario);

/// The 95th percentile of a time that is one of two kinds, each about normal with this median and
/// 95th percentile: the first for `share` of all pictures, the second for the others.
Milliseconds MixtureP95(double share, Milliseconds first, Milliseconds first_p95,
                        Milliseconds second, Milliseconds second_p95);

/// The pairs of one cut only.
std::vector<Candidate> CandidatesAt(const Scenario& scenario, size_t cut);

}  // namespace fogline
