// Writing a network in integers: pairs of QuantizeLinear and DequantizeLinear around its layers,
// which engines put together into integer ones.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "quantize/net.h"
#include "quantize/ranges.h"
#include "quantize/rounding.h"
#include "quantize/scheme.h"

namespace fogline::quantize {

/// `ranges` by root tensor, `weights` by layer. Activations that a range stands for are dropped,
/// since with one between the pair nothing is put together; the network's inputs and outputs keep
/// names and types.
Status WriteIntegers(Net& net, const Scheme& scheme, const std::map<std::string, Affine8>& ranges,
                     const std::map<std::string, IntegerWeights>& weights);

/// Weights as output channels × inputs, and back as the layer holds them.
std::vector<float> RowsOf(const Linear& linear, const Numbers& weights);

}  // namespace fogline::quantize
