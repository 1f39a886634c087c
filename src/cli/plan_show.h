// A plan as JSON, as text for a terminal, and as a page.
#pragma once

#include <string>
#include <vector>

#include "plan/explain.h"
#include "plan/pareto.h"
#include "plan/planner.h"
#include "report/table.h"

namespace fogline::cli {

/// Everything that is shown of one plan.
struct PlanView {
  const Scenario& scenario;
  const Plan& plan;
  std::vector<size_t> shown;  // candidates, in order
  std::vector<Explanation> explanations;
  Measure x = Measure::kLatency, y = Measure::kCost;
  std::vector<size_t> front;  // candidates on the Pareto front of x and y
  double plan_ms = 0;
};

/// "cut 51 · split13", "edge-only", "cloud-only".
std::string CutTitle(const Scenario& scenario, const Candidate& candidate);
/// "q4 1.39 kB"; an estimated size has a "~".
std::string PayloadTitle(const Candidate& candidate);

std::string PlanJson(const PlanView& view);
std::string PlanText(const PlanView& view, const TextStyle& style);
std::string PlanPage(const PlanView& view, const std::string& title);

}  // namespace fogline::cli
