// How long one machine takes for a model: every layer, and where it was measured, both halves of
// every cut.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/units.h"
#include "graph/model.h"
#include "profile/machine.h"

namespace fogline {

/// What fitting and planning see of a layer. Layers that engines fuse into the one before them
/// (batch normalisation, activations, reshapes, QuantizeLinear and DequantizeLinear) cost nothing
/// of their own.
LayerFeatures FeaturesOf(const Model& model, const Node& node);

struct MeasuredTime {
  Milliseconds p50, p95;
};

struct Timing {
  std::vector<Milliseconds> layers;                 // by index in Model::nodes()
  std::map<uint64_t, MeasuredTime> prefix, suffix;  // by cut id; empty unless measured
  int threads = 1;
  double relative_speed = 1;
  std::string machine, source;
  /// By how much all of a network's time on this machine is typically off, as one factor, and how
  /// that is known; 0: measured as it is, or nobody has said.
  double relative_error = 0;
  std::string error_source;
  /// Layers in 8-bit integers are among them, and taken as if they were in float32: by how much
  /// integers are faster is known of no machine of the library, only where halves were measured.
  bool integers_as_float = false;

  bool measured() const { return !prefix.empty() || !suffix.empty(); }
};

/// What is known of how far a fitted machine is off, into `timing`.
void StateError(const Machine& machine, Timing& timing);

/// Layer times by the machine's fitted model.
Timing PredictTiming(const Model& model, const Machine& machine);

}  // namespace fogline
