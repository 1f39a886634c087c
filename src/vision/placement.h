// Where a picture lies in the network's input: what turns places there into places in the picture.
#pragma once

#include "vision/card.h"

namespace fogline {

/// The whole upright picture as a rectangle in parts of the network's input. With a centre crop it
/// is larger than that; squashed it is all of it.
struct Placement {
  double left = 0, top = 0, width = 1, height = 1;
};

/// Pixels of the network's input that a letterboxed picture takes.
struct LetterboxPlace {
  int left = 0, top = 0, width = 0, height = 0;
};
LetterboxPlace LetterboxOf(int width, int height, const ModelCard& card);

/// Of a width × height picture that FitToInput has fitted. Without a size (0) the picture is taken
/// to have the network's proportions.
Placement PlacementOf(int width, int height, const ModelCard& card);

/// Whether places in the network's input mean nothing without the picture's proportions.
bool NeedsPictureSize(const ModelCard& card);

}  // namespace fogline
