// From a float network and pictures to the same network in integers.
#pragma once

#include <set>
#include <span>
#include <string>

#include "base/result.h"
#include "base/tensor.h"
#include "quantize/net.h"
#include "quantize/steps.h"

namespace fogline::quantize {

/// Serialised ONNX of `net`, which RaiseOpset and Fold made ready. Layers named in `floating` stay
/// as they are. kUnsupported for a network without weighted layers, kInvalid where weights or
/// activations are no numbers.
Result<std::string> MakeIntegers(const Net& net, std::span<const Tensor> inputs,
                                 const std::set<std::string>& floating, const Steps& steps,
                                 int threads);

}  // namespace fogline::quantize
