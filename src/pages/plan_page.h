// A plan as a page, and its charts alone.
#pragma once

#include <string>

#include "plan/plan_json.h"

namespace fogline {

/// A self-contained page: the plan in figures, where the time goes, where the line moves, Pareto's
/// front, all cuts, and where the numbers come from.
std::string PlanPage(const PlanView& view, const std::string& title);

/// The first of its figures as one <svg> with its legend: a bar a cut, stacked by where the time
/// goes.
std::string PlanBars(const PlanView& view);

}  // namespace fogline
