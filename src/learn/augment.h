// Light variations of a photograph, so that a head does not learn which way a can lies.
#pragma once

#include <cstdint>

#include "vision/card.h"
#include "vision/image.h"

namespace fogline {

/// Which variation of which picture.
struct Variation {
  uint64_t seed = 1;
  uint64_t picture = 0;
  int copy = 0;  // 0: as the card says, nothing changed; 1: mirrored; 2 and on: drawn at random
};

/// Crops and resizes a picture to the network's size as FitToInput does, then varies it. Drawn at
/// random are a crop of 80 to 100 % of the seen side near the middle, mirroring, and brightness and
/// contrast within 20 %. The same Variation gives the same pixels. `out` keeps its memory.
void FitVaried(const Image& image, const ModelCard& card, const Variation& variation, Image& out);

}  // namespace fogline
