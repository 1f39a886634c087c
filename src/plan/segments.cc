#include "plan/segments.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fogline {
namespace {

constexpr double kSame = 1e-12;  // relative: what rounding alone may make of equal prices

/// How fast the price grows to the right of x.
double GrowthAt(const PriceSegment& s, double x) {
  const double slope = s.line.slope.value();
  return s.larger && slope * x < s.line.fixed.value() * (1 - kSame) ? 0 : slope;
}

/// The first x at which `other` becomes cheaper than `current`, which is no dearer now.
double Overtakes(const PriceSegment& current, const PriceSegment& other) {
  const double slower = (current.line.slope - other.line.slope).value();
  if (slower <= 0) return std::numeric_limits<double>::infinity();
  if (current.larger) return other.line.fixed / current.line.slope;
  return (other.line.fixed - current.line.fixed).value() / slower;
}

/// The cheapest at x and just after it; nullptr when every segment has ended.
const PriceSegment* CheapestAt(const std::vector<PriceSegment>& segments, double x) {
  double least = std::numeric_limits<double>::infinity();
  for (const PriceSegment& s : segments) {
    if (s.until > x) least = std::min(least, s.At(x).value());
  }
  const PriceSegment* best = nullptr;
  for (const PriceSegment& s : segments) {
    if (s.until <= x || s.At(x).value() > least + kSame * std::abs(least)) continue;
    if (best == nullptr || GrowthAt(s, x) <= GrowthAt(*best, x)) best = &s;
  }
  return best;
}

}  // namespace

Price PriceSegment::At(double x) const {
  return larger ? std::max(line.fixed, line.slope * x) : line.At(x);
}

std::vector<SegmentPiece> LowerEnvelopeOf(const std::vector<PriceSegment>& segments, double low,
                                          double high) {
  std::vector<SegmentPiece> pieces;
  for (double x = low; x < high;) {
    const PriceSegment* best = CheapestAt(segments, x);
    if (best == nullptr) break;
    double next = std::min(high, best->until);
    for (const PriceSegment& s : segments) {
      if (s.until <= x) continue;
      const double meet = Overtakes(*best, s);
      // What is met no later than here costs the same as `best` and has been weighed above.
      if (meet > x * (1 + kSame) && meet < next && s.until > meet) next = meet;
    }
    if (!pieces.empty() && pieces.back().plan == best->plan) {
      pieces.back().to = next;
    } else {
      pieces.push_back({x, next, best->plan});
    }
    x = next;
  }
  return pieces;
}

}  // namespace fogline
