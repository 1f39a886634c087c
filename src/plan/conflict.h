// What stands in the way when no candidate keeps to all limits.
#pragma once

#include "plan/planner.h"

namespace fogline {

/// kConflict: the limit that none meets alone with the nearest miss, or that of the whole set. Says
/// so too when something that edge and cloud do not run would do.
Error NothingFeasible(const Scenario& scenario, const Plan& plan);

}  // namespace fogline
