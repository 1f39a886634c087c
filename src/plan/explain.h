// Why the winner won: each rival's difference, term by term.
#pragma once

#include <string>
#include <vector>

#include "plan/planner.h"

namespace fogline {

struct TermDifference {
  std::string term;   // "edge", "uplink", …
  double amount = 0;  // rival − winner, in the objective's unit
};

struct Explanation {
  size_t rival = 0;                   // in Plan::candidates
  std::vector<TermDifference> terms;  // largest first; those that are zero left out
  std::string sentence;  // "loses by 12.3 ms: uplink takes 20.1 ms more, edge 7.8 ms less"
};

/// Rivals: both extremes, the neighbours of the winner's cut, and the cheapest other cuts, nearest
/// first; `most` at most.
std::vector<Explanation> Explain(const Scenario& scenario, const Plan& plan, size_t most = 6);

}  // namespace fogline
