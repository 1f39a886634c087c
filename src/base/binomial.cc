#include "base/binomial.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

constexpr int kHalvings = 60;

/// Where a function that falls from above `wanted` to below it over 0…1 crosses it.
template <typename Falling>
double Crossing(const Falling& falling, double wanted) {
  double low = 0, high = 1;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (falling(middle) > wanted ? low : high) = middle;
  }
  return high;
}

}  // namespace

double BinomialAtMost(int64_t hits, int64_t trials, double p) {
  if (hits < 0) return 0;
  if (hits >= trials || p <= 0) return 1;
  if (p >= 1) return 0;
  // Term by term, the logarithm of each from the one before: 1e-300 is a number like any other so.
  const double odds = std::log(p) - std::log1p(-p);
  double term = static_cast<double>(trials) * std::log1p(-p), sum = std::exp(term);
  for (int64_t i = 1; i <= hits; ++i) {
    term += std::log(static_cast<double>(trials - i + 1) / static_cast<double>(i)) + odds;
    sum += std::exp(term);
  }
  return std::min(sum, 1.0);
}

double ChanceAtMost(int64_t hits, int64_t trials, double confidence) {
  if (hits >= trials) return 1;
  return Crossing([&](double p) { return BinomialAtMost(hits, trials, p); }, 1 - confidence);
}

double ChanceAtLeast(int64_t hits, int64_t trials, double confidence) {
  return trials <= 0 ? 0 : 1 - ChanceAtMost(trials - hits, trials, confidence);
}

int64_t TrialsFor(double p, double confidence) {
  return static_cast<int64_t>(std::ceil(std::log1p(-confidence) / std::log1p(-p) - 1e-9));
}

}  // namespace fogline
