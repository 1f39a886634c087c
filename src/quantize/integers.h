// From a float network and pictures to the same network in integers.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "base/result.h"
#include "base/tensor.h"
#include "quantize/net.h"
#include "quantize/ranges.h"
#include "quantize/rounding.h"
#include "quantize/steps.h"

namespace fogline::quantize {

/// What calibration finds for a network all of whose weighted layers are in integers; those of any
/// fewer have the same ranges and weights.
struct Choices {
  std::map<std::string, Affine8> ranges;  // by tensor
  std::map<std::string, Histogram> seen;  // what they come from, by root tensor
  std::map<std::string, IntegerWeights> weights;
};

/// Of `net`, which RaiseOpset and Fold made ready. kUnsupported for a network without weighted
/// layers, kInvalid where weights or activations are no numbers.
Result<Choices> Choose(const Net& net, std::span<const Tensor> inputs, const Steps& steps,
                       int threads);

/// Of all values in `seen`, by root tensor, those beyond the ranges chosen.
Beyond CountBeyond(const Net& net, const Choices& choices,
                   const std::map<std::string, Histogram>& seen);

/// Serialised ONNX of `net` in integers. Layers named in `floating` stay as they are.
Result<std::string> Assemble(const Net& net, const Choices& choices,
                             const std::set<std::string>& floating);

}  // namespace fogline::quantize
