#include "vision/placement.h"

#include <algorithm>
#include <cmath>

#include "vision/preprocess.h"

namespace fogline {

LetterboxPlace LetterboxOf(int width, int height, const ModelCard& card) {
  const double scale =
      std::min(card.width / static_cast<double>(width), card.height / static_cast<double>(height));
  LetterboxPlace place;
  place.width = std::clamp(static_cast<int>(std::lround(width * scale)), 1, card.width);
  place.height = std::clamp(static_cast<int>(std::lround(height * scale)), 1, card.height);
  if (card.anchor == ModelCard::Anchor::kCenter) {
    place.left = (card.width - place.width) / 2;
    place.top = (card.height - place.height) / 2;
  }
  return place;
}

Placement PlacementOf(int width, int height, const ModelCard& card) {
  if (width <= 0 || height <= 0) {
    width = card.width;
    height = card.height;
  }
  if (card.crop == ModelCard::Crop::kSquash || width <= 0 || height <= 0) return {};
  if (card.crop == ModelCard::Crop::kLetterbox) {
    const LetterboxPlace at = LetterboxOf(width, height, card);
    return {at.left / static_cast<double>(card.width), at.top / static_cast<double>(card.height),
            at.width / static_cast<double>(card.width),
            at.height / static_cast<double>(card.height)};
  }
  const Rectangle seen = SeenPart(width, height, card);
  const double w = seen.width, h = seen.height;
  return {-seen.x / w, -seen.y / h, width / w, height / h};
}

bool NeedsPictureSize(const ModelCard& card) {
  const bool places = card.kind == ModelCard::Kind::kBoxes || card.kind == ModelCard::Kind::kMask;
  return places && card.crop != ModelCard::Crop::kSquash;
}

}  // namespace fogline
