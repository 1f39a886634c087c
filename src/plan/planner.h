// The plan itself: the best candidate, its proof, and where it changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/candidate.h"
#include "plan/scenario.h"
#include "plan/ties.h"

namespace fogline {

/// The best candidate between two values of a parameter.
struct PlanStep {
  double from = 0;
  double to = 0;
  size_t candidate = 0;  // in Plan::candidates
};

/// Why nothing is better, and of what that is said.
struct Certificate {
  Price value;        // what the plan costs
  Price optimum;      // the cheapest that may be recommended; less than `value` where a tie is
  Price lower_bound;  // nothing within the proof's scope is cheaper
  /// True: no division of the layers at all is cheaper, because the maximum flow over them equals
  /// the optimum. False: each candidate was evaluated, and the bound is the least of those that
  /// keep to the limits and may be recommended. With limits it is always the latter.
  bool by_flow = false;
  bool flow_equals_cut = false;  // the flow's own proof, in integers
  Price flow;                    // of the layer graph in any case (latency, cost, energy, weighted)
  size_t within = 0;             // candidates that keep to the limits and may be recommended
};

/// What a runtime that could send tensors back down would do.
struct TwoWayPlan {
  Price value;
  std::vector<std::string> up, down;  // tensors that cross
};

struct Plan {
  static constexpr size_t kNone = static_cast<size_t>(-1);

  std::vector<Candidate> candidates;  // every (cut, codec) pair, cut by cut
  bool only_runnable = true;          // what edge and cloud do not run is never recommended
  size_t best = kNone;                // what is recommended
  std::vector<Tie> ties;              // the cheapest, and all that the times cannot tell from it
  std::optional<size_t> beyond;       // cheaper still, but edge and cloud do not run it yet

  // The cheapest at every uplink, in Mbit/s, slowest first, and at every load of the cloud from 0
  // to 0.95; ties are not weighed here. Where nothing keeps to the limits there is no step.
  std::vector<PlanStep> envelope, load_envelope;
  double nothing_below = 0;       // Mbit/s; 0: something keeps to the limits on the slowest uplink
  double nothing_above_load = 1;  // likewise; 1: something does at every load
  double fastest = 0;             // Mbit/s that loss and round trip let through at most

  Certificate certificate;
  std::optional<TwoWayPlan> two_way;

  size_t optimum() const { return ties.front().candidate; }
  /// Whether a candidate keeps to the limits and may be recommended.
  bool Usable(size_t candidate) const;
  /// The candidate of each cut to show, in cut order: the plan's own, or the cheapest usable one,
  /// or the cheapest.
  std::vector<size_t> BestOfEachCut() const;
  /// That of one cut; nullopt when no codec is allowed there.
  std::optional<size_t> BestOfCut(size_t cut) const;
  /// The same of the cut that works this way, wherever it stands: the planner may have appended
  /// some.
  std::optional<size_t> BestOf(const Scenario& scenario, MechanismKind kind) const;
};

/// Finds the plan. A division of the layers that the flow finds outside the listed cuts is added
/// to `scenario.cuts`. kConflict when no candidate keeps to all limits: the message names the limit
/// that stands in the way and the closest that can be had.
Result<Plan> MakePlan(Scenario& scenario);

}  // namespace fogline
