// What the plan says of the way that a device runs, to hold beside what was measured.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>

#include "base/json_writer.h"
#include "base/result.h"
#include "plan/candidate.h"
#include "plan/request.h"
#include "web/fleet_memory.h"
#include "web/model_shelf.h"
#include "web/web_server.h"

namespace fogline {

/// Not thread-safe. Remembers what it has worked out.
class Predictor {
 public:
  /// The shelf must outlive it.
  explicit Predictor(ModelShelf& shelf) : shelf_(shelf) {}

  /// Machines and link as `by` names them; with `files` they may be files.
  /// kUnavailable while models are being read, kNotFound for a model, cut or codec that the plan
  /// does not know, and what is wrong with a machine or link.
  /// `fresh`: how many more may be worked out, which this counts down; kUnavailable when none may.
  Result<LatencyTerms> Predict(const FleetMemory::Way& way, const PredictBy& by, bool files,
                               size_t& fresh);

  /// That are remembered.
  size_t predictions() const { return known_.size(); }

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string,
                         std::string, bool>;
  ModelShelf& shelf_;
  std::map<Key, Result<LatencyTerms>> known_;
  std::deque<Key> order_;  // of those known, the oldest first
};

/// {"device":…,"edge":…,"total_ms":…,"stages_ms":{…}}, stages named as detections have them; or
/// with "unknown" instead, the reason.
void PutPrediction(JsonWriter& json, const FleetMemory::Way& way, const std::string& edge,
                   const Result<LatencyTerms>& predicted);

}  // namespace fogline
