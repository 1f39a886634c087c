// A plan in sentences: the same ones on the terminal, in JSON, on pages and in reports.
#pragma once

#include <string>
#include <vector>

#include "plan/planner.h"

namespace fogline {

/// "cloud-only", "edge-only", "cut 24 · split6".
std::string CutTitle(const Scenario& scenario, const Candidate& candidate);
/// "q3 1.2 kB", "jpeg:95 ~8 kB", "nothing".
std::string PayloadTitle(const Candidate& candidate);

/// What is proven, by what method, of what: "Proof: …".
std::string ProofText(const Scenario& scenario, const Plan& plan);
/// The rivals that the times cannot tell from the cheapest, and what was done about it; empty when
/// there are none.
std::string TiesText(const Scenario& scenario, const Plan& plan);
/// Where nothing keeps to the limits; empty when something does everywhere.
std::string UplinkGapText(const Plan& plan);
std::string LoadGapText(const Plan& plan);
/// What was assumed, left alone or cannot be had: one line each.
std::vector<std::string> NotesOf(const Scenario& scenario, const Plan& plan);

}  // namespace fogline
