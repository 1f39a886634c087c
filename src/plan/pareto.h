// Candidates that no other beats in both of two measures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/planner.h"

namespace fogline {

enum class Measure { kLatency, kCost, kEnergy, kPeriod, kBytes, kDisagreement };

/// "latency", "cost", "energy", "throughput", "bytes", "agreement".
Result<Measure> ParseMeasure(std::string_view name);
std::string_view MeasureTitle(Measure measure);
/// Less is better; infinite when it is not known (an agreement that nobody calibrated).
double MeasureOf(const Candidate& candidate, Measure measure);

/// Indices of the usable candidates on the front, by ascending `x`.
std::vector<size_t> ParetoFront(const Plan& plan, Measure x, Measure y);

}  // namespace fogline
