// Positions that are shown less exactly than they are known.
#pragma once

#include <cmath>

namespace fogline {

/// To so many decimals of a degree (3: about 100 m).
inline double RoundDegrees(double degrees, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(degrees * scale) / scale;
}

}  // namespace fogline
