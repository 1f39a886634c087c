// How long one machine takes for a model: every layer, and where it was measured, both halves of
// every cut.
#pragma once

#include <cmath>
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
/// of their own. A layer is in integers by its operator (QLinearConv, ConvInteger …), or between
/// the pairs that engines make one of: it reads what a DequantizeLinear made, and has 8-bit weights
/// or none and makes what a QuantizeLinear reads.
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
  /// The same of what layers in 8-bit integers take of their time in float, on top; 0 without any.
  double integers_error = 0;
  /// Layers in 8-bit integers are among them, and taken as if they were in float32: by how much
  /// integers are faster is unknown of this machine.
  bool integers_as_float = false;

  bool measured() const { return !prefix.empty() || !suffix.empty(); }
  /// Both errors together.
  double error() const { return std::hypot(relative_error, integers_error); }
};

/// Layer times by the machine's fitted model.
Timing PredictTiming(const Model& model, const Machine& machine);

}  // namespace fogline
