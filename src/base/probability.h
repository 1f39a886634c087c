// Numbers that a network means as probabilities.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

namespace fogline {

/// The nearest number in 0…1: half precision and 8-bit tables round a softmax to 1.0000001, or a
/// little below 0. Nothing for NaN and for what lies further out than rounding does.
inline std::optional<float> ToProbability(double value) {
  constexpr double kRounding = 0.01;
  if (!(value >= -kRounding && value <= 1 + kRounding)) return std::nullopt;
  return static_cast<float>(std::clamp(value, 0.0, 1.0));
}

}  // namespace fogline
