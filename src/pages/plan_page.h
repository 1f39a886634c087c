// A plan as a page.
#pragma once

#include <string>

#include "plan/plan_json.h"

namespace fogline {

/// A self-contained page: the plan in figures, where the time goes, where the line moves, Pareto's
/// front, all cuts, and where the numbers come from.
std::string PlanPage(const PlanView& view, const std::string& title);

}  // namespace fogline
