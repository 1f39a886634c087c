// From a layer's weights to integers that make what it computes differ least.
#pragma once

#include <cstdint>
#include <vector>

#include "quantize/samples.h"
#include "quantize/scheme.h"
#include "quantize/steps.h"

namespace fogline::quantize {

struct IntegerWeights {
  std::vector<int8_t> values;  // output channels × inputs
  std::vector<float> scales;   // an output channel
  std::vector<float> shift;    // by which the bias makes up for the mean error, an output channel
};

/// `weights`: output channels × inputs. `least`: of each channel's scale, so that its bias fits
/// into 32 bits.
IntegerWeights RoundWeights(const Linear& linear, const std::vector<float>& weights,
                            const std::vector<float>& least, Moments& moments,
                            const RoundingOptions& options);

}  // namespace fogline::quantize
