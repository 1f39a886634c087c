// A plan as JSON: what `fogline plan --json` prints and /api/plan answers.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/explain.h"
#include "plan/pareto.h"
#include "plan/planner.h"
#include "plan/rivals.h"

namespace fogline {

/// Everything that is shown of one plan.
struct PlanView {
  const Scenario& scenario;
  const Plan& plan;
  std::vector<size_t> shown;  // candidates, in order
  std::vector<Explanation> explanations;
  Measure x = Measure::kLatency, y = Measure::kCost;
  std::vector<size_t> front;  // candidates on the Pareto front of x and y
  double plan_ms = 0;
  std::vector<Rival> rivals;
  bool scatter = false;                     // x and y of every candidate too
  std::vector<std::string> precision = {};  // PrecisionTexts
};

/// A plan made and all of it looked at: the best candidate of each cut (or, with `all`, every one),
/// explanations, front, rivals and scatter. `plan` must outlive the view.
PlanView ViewOf(const Scenario& scenario, const Plan& plan, Measure x, Measure y);

/// Fields in docs/openapi.yaml, schema Plan.
Json PlanJson(const PlanView& view);
/// When the limits cannot be met: what stands in the way, and every cut with what it breaks.
Json ConflictJson(const Scenario& scenario, const Error& error);

}  // namespace fogline
