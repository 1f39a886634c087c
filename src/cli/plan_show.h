// A plan as text for a terminal.
#pragma once

#include <string>

#include "plan/plan_json.h"
#include "plan/words.h"
#include "report/table.h"

namespace fogline::cli {

std::string PlanText(const PlanView& view, const TextStyle& style);
/// The fleet's bill with the plan, and with each rival.
std::string FleetText(const PlanView& view, double devices);

}  // namespace fogline::cli
