#include "base/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fogline {
namespace {

double SortedQuantile(std::span<const double> sorted, double p) {
  if (sorted.empty()) return 0;
  const double at = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

std::vector<double> Sorted(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

double Quantile(std::span<const double> samples, double p) {
  return SortedQuantile(Sorted(samples), p);
}

Summary Summarize(std::span<const double> samples) {
  if (samples.empty()) return {};
  const std::vector<double> sorted = Sorted(samples);
  Summary s;
  s.count = sorted.size();
  s.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(s.count);
  s.p50 = SortedQuantile(sorted, 0.50);
  s.p95 = SortedQuantile(sorted, 0.95);
  s.p99 = SortedQuantile(sorted, 0.99);
  s.min = sorted.front();
  s.max = sorted.back();
  return s;
}

}  // namespace fogline
