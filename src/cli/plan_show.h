// A plan as text for a terminal, and as a page.
#pragma once

#include <string>

#include "plan/plan_json.h"
#include "report/table.h"

namespace fogline::cli {

/// "cut 51 · split13", "edge-only", "cloud-only".
std::string CutTitle(const Scenario& scenario, const Candidate& candidate);
/// "q4 1.39 kB"; an estimated size has a "~".
std::string PayloadTitle(const Candidate& candidate);

std::string PlanText(const PlanView& view, const TextStyle& style);
/// The fleet's bill with the plan, and with each rival.
std::string FleetText(const PlanView& view, double devices);
std::string PlanPage(const PlanView& view, const std::string& title);

}  // namespace fogline::cli
