// Non-maximum suppression: of boxes that show the same thing, the surest.
#pragma once

#include <cstdint>
#include <vector>

#include "vision/box_candidates.h"

namespace fogline {

/// What two boxes share of what they cover together, 0…1.
float Overlap(const BoxCandidate& a, const BoxCandidate& b);

struct Suppressed {
  std::vector<BoxCandidate> kept;  // the surest first
  uint32_t cut_off = 0;            // more that would have stayed
};

/// Of `candidates`, the surest first, those that overlap no surer one of their own class by more
/// than `overlap`; at most `most` of them.
Suppressed Suppress(const std::vector<BoxCandidate>& candidates, double overlap, size_t most);

}  // namespace fogline
