// Order statistics of measured samples.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fogline {

/// The p-quantile (0 ≤ p ≤ 1) with linear interpolation between order statistics (type 7 of Hyndman
/// & Fan 1996). 0 for no samples.
double Quantile(std::span<const double> samples, double p);

struct Summary {
  size_t count = 0;
  double mean = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  double min = 0;
  double max = 0;
};

Summary Summarize(std::span<const double> samples);

}  // namespace fogline
