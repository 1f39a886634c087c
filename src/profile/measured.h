// What `fogline profile` found on one machine for one model, as a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/stats.h"
#include "graph/cut.h"
#include "graph/model.h"
#include "profile/timing.h"

namespace fogline {

/// One half of a cut, run by itself.
struct MeasuredHalf {
  Milliseconds p50, p95;
  double spread = 0;  // (p95 − p50) / p50
  int runs = 0;
};

struct MeasuredCut {
  uint64_t id = 0;
  std::string name;
  std::optional<MeasuredHalf> prefix, suffix;  // the extremes have one half only
};

struct MeasuredProfile {
  std::string machine;  // a name of the library when power and price come from there, else a host
  std::string cpu, engine, date;  // ISO 8601
  std::string provider = "cpu";   // what ran it, with its options (engine/provider.h)
  int threads = 1;
  int64_t batch = 1;
  std::string model_name;
  Sha256 model{};
  std::map<std::string, Shape> shapes;  // of the model's inputs
  std::string scaled_from;              // the machine that was really measured, when scaled
  MeasuredHalf whole;
  std::vector<MeasuredCut> cuts;
  std::vector<std::string> layer_names;
  std::vector<Milliseconds> layers;  // add up to the whole; see Reconcile
  double residual = 0;               // mean of |prefix + suffix − whole| / whole over the cuts

  std::string ToJson() const;
  /// Of several networks on one machine, as one file: the first as ever, the others under "also".
  static std::string ToJson(const std::vector<MeasuredProfile>& networks);
  /// kInvalid names what is missing or of the wrong type.
  static Result<MeasuredProfile> Parse(std::string_view json, const std::string& where);
  /// Of a file of several networks that of this one; the first where there is none of it, which
  /// TimingOf then refuses by name.
  static Result<MeasuredProfile> ParseOf(const Model& model, std::string_view json,
                                         const std::string& where);
};

/// Layer times that add up to the whole and agree with the measured halves: along a chain of cuts
/// that lie inside each other, the time up to a cut is the mean of its prefix and of whole −
/// suffix, made increasing (pool adjacent violators); what lies between two cuts is shared out
/// among its layers as `weights` have it (fused layers have none and get none). Fills layers and
/// residual.
void Reconcile(const Model& model, const std::vector<Cut>& cuts,
               const std::vector<Milliseconds>& weights, MeasuredProfile& profile);

/// Makes a planner's timing of it. kConflict when it was made for another model or other shapes,
/// naming both.
Result<Timing> TimingOf(const Model& model, const MeasuredProfile& profile,
                        const std::string& where);

/// The same model on another machine of the library: each layer takes the time that the machine's
/// fit predicts, corrected by how this layer was measured against what was to be expected of it;
/// halves keep their measured deviation from the sum of their layers.
MeasuredProfile ScaleTo(const Model& model, const std::vector<Cut>& cuts,
                        const MeasuredProfile& measured, const Machine& target);

}  // namespace fogline
