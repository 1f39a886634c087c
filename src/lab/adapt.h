// fogline lab adapt: fixed routes, steering and a clairvoyant over the same uplinks.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "lab/adapt_line.h"

namespace fogline {

struct AdaptOptions {
  std::filesystem::path out;
  /// Of recorded uplinks, or with them in its traces/; empty: made-up lines alone.
  std::filesystem::path data;
};

/// One device on one line.
struct AdaptRow {
  std::string trace, device;
  bool recorded = false;
  std::vector<std::pair<std::string, Summary>> fixed;  // by route, in the policy's order
  size_t best = 0;                                     // of `fixed`, by the mean
  Summary steered, clairvoyant;
  int switches = 0;
  uint64_t probes = 0;

  /// How much slower than the best fixed route in hindsight, a share of its mean.
  double regret() const { return steered.mean / fixed[best].second.mean - 1; }
};

struct AdaptReport {
  std::vector<AdaptRow> rows;
  // A journey from Wi-Fi to LTE, 3G, nothing and back, for the first device, by picture.
  AdaptWorld journey;
  std::string journey_device;
  AdaptRun journey_steered, journey_clairvoyant;
  std::vector<std::pair<std::string, AdaptRun>> journey_fixed;
};

/// The litter network that comes with Fogline on three boards of the library, by the routes of
/// their policies; arithmetic alone, no processes. kNotFound where `data` has no recording.
Result<AdaptReport> RunAdaptLab(const AdaptOptions& options);

/// Fields as docs/steering.md has them.
std::string AdaptJson(const AdaptReport& report);
/// A self-contained page.
std::string AdaptPage(const AdaptReport& report);
/// A table for the terminal, and a line that sums it up.
std::string AdaptText(const AdaptReport& report);

/// Runs it and writes report.html and results.json.
Result<AdaptReport> WriteAdaptLab(const AdaptOptions& options);

}  // namespace fogline
