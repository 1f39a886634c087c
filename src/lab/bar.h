// One bar of a chart: what was measured for one cut over one wire, beside what the plan had said.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"
#include "frame/stages.h"
#include "lab/forecast.h"
#include "lab/suite.h"

namespace fogline {

struct Bar {
  size_t experiment = 0;  // in Suite::experiments
  WireKind wire = WireKind::kFogline;
  std::string cut;  // as the suite names it
  std::string codec;
  std::string medium;  // LabSite::medium()
  int pictures = 0, stored = 0;
  double bytes = 0;  // of a frame, mean
  // Milliseconds, p50 of the pictures; NaN where a stage did not run.
  std::array<double, kStages.size()> stages_ms{};
  double true_ms = 0;          // all of it, waits included
  double hypothetical_ms = 0;  // the paper's total: without the waits in queues
  /// What a forecast is about: the hypothetical total less reading and resizing the picture, which
  /// are the same for every cut.
  double measured_ms = 0;
  /// How far the slow pictures' computing lay above the typical one's, in parts of measured_ms:
  /// large when something else wanted the machine.
  double spread = 0;
  Forecast forecast;
  std::vector<StageTimes> frames;  // of the run that counts

  double error() const { return forecast.total() / measured_ms - 1; }
  double stage(const char* name) const;
};

/// Beyond it a bar is not a fair figure: the machine was busy.
inline constexpr double kFairSpread = 0.15;

/// Fills in what an edge's report says. kInvalid for a text that is no such report.
Status ReadReport(const std::string& json, Bar& bar);

/// Which of the bars of one experiment and wire the plan chose, and which was the fastest.
struct PlanChoice {
  size_t experiment = 0;
  WireKind wire = WireKind::kFogline;
  size_t planned = 0, best = 0;  // in the bars given
  double regret = 0;             // measured(planned) / measured(best) − 1
};
/// One for each experiment and wire that has bars.
std::vector<PlanChoice> ChoicesOf(const std::vector<Bar>& bars);

/// Of |forecast − measured| / measured.
struct ForecastError {
  double median = 0, mean = 0, worst = 0;
  size_t bars = 0;
};
ForecastError ErrorOf(const std::vector<const Bar*>& bars);

}  // namespace fogline
