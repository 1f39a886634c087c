// The cheapest of a list of plans for every value of one parameter, each of which may be had on a
// part of the range only.
#pragma once

#include <cstddef>
#include <vector>

#include "plan/envelope.h"

namespace fogline {

/// What one plan costs over x, up to where it breaks a limit.
struct PriceSegment {
  PriceLine line;
  bool larger = false;  // the larger of line's two terms instead of their sum: a pipeline's period
  double until = 0;     // no plan for any x beyond; below the range: never
  size_t plan = 0;

  Price At(double x) const;
};

/// A plan that is cheapest for every x between `from` and `to`.
struct SegmentPiece {
  double from = 0;
  double to = 0;
  size_t plan = 0;
};

/// The lower envelope over [low, high], in order. Limits bind as x grows and never let go, so from
/// the end of the last piece to `high` there is no plan at all; no pieces: none anywhere.
/// Of plans that cost the same from some x on, the last in the list is taken. O(plans · pieces).
std::vector<SegmentPiece> LowerEnvelopeOf(const std::vector<PriceSegment>& segments, double low,
                                          double high);

}  // namespace fogline
