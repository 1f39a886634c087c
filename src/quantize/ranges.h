// From what a tensor holds to the range that its 8 bits stand for.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "quantize/net.h"
#include "quantize/scheme.h"
#include "quantize/steps.h"

namespace fogline::quantize {

/// value = scale · (q − zero), q in 0…255.
struct Affine8 {
  float scale = 1;
  uint8_t zero = 0;
  float low() const { return scale * (0.0F - static_cast<float>(zero)); }
  float high() const { return scale * (255.0F - static_cast<float>(zero)); }
};

/// Of a range that holds zero; a range of nothing but zero gets a scale of 1.
Affine8 AffineOf(float low, float high);

/// How often a tensor's values fall where, zeros apart: those are always exact.
struct Histogram {
  static constexpr size_t kBins = 1024;
  float low = 0, high = 0;
  std::vector<uint32_t> bins;
  double total = 0;

  void Add(std::span<const float> values);
  float Middle(size_t bin) const;
};

/// The range by one rule: all that was seen; all but a ten-thousandth at either end; the least mean
/// square of rounding and clipping; the least Kullback-Leibler divergence of what is left (Migacz,
/// "8-bit inference with TensorRT", 2017). `bounds` cut what an activation behind would cut.
Affine8 ChooseRange(const Histogram& seen, const Bounds& bounds, RangeRule rule);

/// Of counted values (zeros apart), how many lie beyond the range by more than half a step, other
/// than those that an activation behind cuts as well.
struct Beyond {
  double values = 0, beyond = 0;
  double share() const { return values > 0 ? beyond / values : 0; }
};
Beyond CountBeyond(const Histogram& seen, const Bounds& bounds, const Affine8& range);

/// By tensor, roots alone (Scheme::Root). kInvalid names a tensor that holds NaN or infinity.
Result<std::map<std::string, Histogram>> Observe(const Net& net, const Scheme& scheme,
                                                 std::span<const Tensor> inputs, int threads);

}  // namespace fogline::quantize
