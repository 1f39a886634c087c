#include "base/half.h"

#include <cstddef>

namespace fogline {

void ToHalf(std::span<const float> from, uint16_t* to) {
  const float* values = from.data();
  for (size_t i = 0; i < from.size(); ++i) to[i] = ToHalf(values[i]);
}

void FromHalf(std::span<const uint16_t> from, float* to) {
  const uint16_t* halves = from.data();
  for (size_t i = 0; i < from.size(); ++i) to[i] = FromHalf(halves[i]);
}

}  // namespace fogline
