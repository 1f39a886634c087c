#include "codec/rans.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fogline {

std::vector<uint16_t> NormaliseCounts(std::span<const double> counts) {
  std::vector<uint16_t> frequencies(counts.size());
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  int64_t left = kRansTotal;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double share = sum > 0 ? counts[i] / sum : 1.0 / static_cast<double>(counts.size());
    frequencies[i] = static_cast<uint16_t>(std::max(1.0, share * kRansTotal));
    left -= frequencies[i];
  }
  // Hand out what rounding down left over where one more slot saves most bits, or take back where
  // one less costs least.
  while (left != 0) {
    const int by = left > 0 ? 1 : -1;
    size_t best = 0;
    double gain = -1e300;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (by < 0 && frequencies[i] == 1) continue;
      const double now = frequencies[i];
      const double saved = counts[i] * std::log2((now + by) / now);
      if (saved > gain) {
        gain = saved;
        best = i;
      }
    }
    frequencies[best] = static_cast<uint16_t>(frequencies[best] + by);
    left -= by;
  }
  return frequencies;
}

}  // namespace fogline
