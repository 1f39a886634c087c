// The plan itself: the best candidate, its proof, and where it changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/candidate.h"
#include "plan/scenario.h"

namespace fogline {

/// The best candidate between two values of a parameter.
struct PlanStep {
  double from = 0;
  double to = 0;
  size_t candidate = 0;  // in Plan::candidates
};

/// Why nothing is better.
struct Certificate {
  Price lower_bound;  // no plan can be cheaper
  Price value;        // what the best candidate costs
  /// True: the bound is the maximum flow over all divisions of the layers. False: the halves of
  /// each cut were measured as wholes, or the objective is no sum, and the bound is the least of
  /// all candidates, each of which was evaluated.
  bool by_flow = false;
  bool flow_equals_cut = false;  // the flow's own proof, in integers
  Price flow;                    // of the layer graph in any case (latency, cost, energy, weighted)
};

/// What a runtime that could send tensors back down would do.
struct TwoWayPlan {
  Price value;
  std::vector<std::string> up, down;  // tensors that cross
};

struct Plan {
  std::vector<Candidate> candidates;  // every (cut, codec) pair, cut by cut
  size_t best = 0;
  std::vector<PlanStep> envelope;       // over the uplink in Mbit/s, slowest first
  std::vector<PlanStep> load_envelope;  // over the cloud's load, 0 … 0.95; latency objectives only
  Certificate certificate;
  std::optional<TwoWayPlan> two_way;

  /// The cheapest feasible candidate of each cut, or its cheapest when none is, in cut order.
  std::vector<size_t> BestOfEachCut() const;
  /// The best candidate of cut 0 and of the last cut; nullopt when no codec is allowed there.
  std::optional<size_t> BestOfCut(size_t cut) const;
};

/// Finds the plan. A division of the layers that the flow finds outside the listed cuts is added
/// to `scenario.cuts`. kConflict when no candidate keeps to all limits: the message names the limit
/// that stands in the way and the closest that can be had.
Result<Plan> MakePlan(Scenario& scenario);

}  // namespace fogline
