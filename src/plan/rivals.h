// What a plan is up against: the ways of running the network that need no planner.
#pragma once

#include <string>
#include <vector>

#include "plan/planner.h"

namespace fogline {

struct Rival {
  std::string key;  // "edge-only", "cloud-only", "runner-up", "no-exit", "split-f32", "split-json"
  std::string title;  // for people
  Candidate candidate;
};

/// Both extremes, the best of all other cuts, where the plan has an early exit the best without
/// one, and the best split when tensors are sent as they are and as JSON (as the paper's pipeline
/// does). Those that the scenario's codecs leave out are evaluated all the same; a rival that does
/// not exist is left out.
std::vector<Rival> Rivals(const Scenario& scenario, const Plan& plan);

}  // namespace fogline
