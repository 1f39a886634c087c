// Rivals that the times are not known well enough to tell from the cheapest plan.
#pragma once

#include <string>
#include <vector>

#include "plan/candidate.h"

namespace fogline {

struct Tie {
  size_t candidate = 0;
  Price difference;   // what it costs more than the cheapest
  Price uncertainty;  // how far that difference may be off; not less than it
};

/// How far the difference between two candidates' prices may be off. A machine of the library is
/// wrong about all of a network by one factor, its fit's error, so what both do on it cancels out;
/// halves that were measured are off by their own spread, unless both candidates run the same ones.
/// Links are taken at their word.
Price UncertaintyBetween(const Scenario& scenario, const Candidate& a, const Candidate& b);
/// The same of candidates of two networks on the same machines: a machine is off by one factor for
/// both, and by another for what a network of integers takes of its time in float; halves that were
/// measured are off by their own spread.
Price UncertaintyAcross(const Scenario& scenario, const Candidate& a, const Scenario& other,
                        const Candidate& b);

/// Those of `among` that lie no further above `cheapest` than the uncertainty, cheapest first;
/// `cheapest` itself is the first.
std::vector<Tie> FindTies(const Scenario& scenario, const std::vector<Candidate>& candidates,
                          const std::vector<size_t>& among, size_t cheapest);

/// Of those that tie the one that changes the fewest verdicts: the highest agreement, unknown last,
/// exact before coded; then the cheaper in money; then in the objective.
size_t Preferred(const std::vector<Candidate>& candidates, const std::vector<Tie>& ties);

/// One sentence: how uncertain the times are on either side, and where that comes from.
std::string UncertaintyText(const Scenario& scenario);

}  // namespace fogline
