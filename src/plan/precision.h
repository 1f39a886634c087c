// The same network in float and in integers, each with a plan of its own: which is to be run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "plan/planner.h"
#include "vision/network.h"

namespace fogline {

/// One network that the plan may take, and what came of it. The scenario points to the network and
/// outlives this.
struct Precision {
  std::string file;  // as it was given
  const Scenario* scenario = nullptr;
  Result<Plan> plan;  // kConflict where nothing keeps to the limits with it

  const Candidate& best() const { return plan->candidates[plan->best]; }
};

/// kConflict unless `integers` is what `fogline quantize` made of `network`, by its card; else the
/// agreement that was measured of it.
Result<double> AgreementOfIntegers(const Network& network, const Network& integers);

/// Which of several is to be run; the first is the float one. The cheapest under the objective; but
/// one that changes verdicts has to be cheaper by more than the times are uncertain (ties.h),
/// unless the scenario is strict. The first error where there is a plan for none.
Result<size_t> ChoosePrecision(const std::vector<Precision>& all);

/// A sentence on each network but the first: what it saves or costs, what it changes, and why it is
/// taken or left. Empty where there is but one.
std::vector<std::string> PrecisionTexts(const std::vector<Precision>& all, size_t chosen);
/// "precision" of `fogline plan --json`.
Json PrecisionJson(const std::vector<Precision>& all, size_t chosen);

}  // namespace fogline
