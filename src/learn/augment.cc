#include "learn/augment.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "learn/random.h"
#include "vision/image.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

constexpr double kSmallestCrop = 0.8;
constexpr double kLight = 0.2;  // most that brightness and contrast change

void Mirror(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    uint8_t* row = image.rgb.data() + static_cast<size_t>(y) * image.width * 3;
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      for (int c = 0; c < 3; ++c) std::swap(row[3 * left + c], row[3 * right + c]);
    }
  }
}

/// A smaller part of what the network sees, anywhere within the picture that the difference allows.
Rectangle Shift(const Rectangle& seen, const Image& image, Random& random) {
  const double scale = random.Between(kSmallestCrop, 1.0);
  const int width = std::max(1, static_cast<int>(std::lround(seen.width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(seen.height * scale)));
  const double dx = random.Between(-0.5, 0.5), dy = random.Between(-0.5, 0.5);
  // At most as far off the middle as the picture itself goes, and no further than a fifth.
  const double room_x = std::min(image.width - width, seen.width / 5 + seen.width - width);
  const double room_y = std::min(image.height - height, seen.height / 5 + seen.height - height);
  const int x = static_cast<int>(std::lround((image.width - width) / 2.0 + dx * room_x));
  const int y = static_cast<int>(std::lround((image.height - height) / 2.0 + dy * room_y));
  return {std::clamp(x, 0, image.width - width), std::clamp(y, 0, image.height - height), width,
          height};
}

void Relight(double brightness, double contrast, Image& image) {
  std::array<uint8_t, 256> table{};
  for (size_t v = 0; v < table.size(); ++v) {
    const double lit = ((static_cast<double>(v) - 127.5) * contrast + 127.5) * brightness;
    table[v] = static_cast<uint8_t>(std::lround(std::clamp(lit, 0.0, 255.0)));
  }
  for (uint8_t& value : image.rgb) value = table[value];
}

/// A part of the picture as the network would be fed it.
void Fit(const Image& image, const Rectangle& part, const ModelCard& card, Image& out) {
  if (card.crop != ModelCard::Crop::kLetterbox) {
    return ResizePart(image, part, card.width, card.height, out);
  }
  thread_local Image own;
  ResizePart(image, part, part.width, part.height, own);
  FitToInput(own, card, out);
}

}  // namespace

void FitVaried(const Image& image, const ModelCard& card, const Variation& variation, Image& out) {
  const Rectangle seen = SeenPart(image.width, image.height, card);
  if (variation.copy < 2) {
    Fit(image, seen, card, out);
    if (variation.copy == 1) Mirror(out);
    return;
  }
  Random random(variation.seed, variation.picture, static_cast<uint64_t>(variation.copy));
  Fit(image, Shift(seen, image, random), card, out);
  if (random.Uniform() < 0.5) Mirror(out);
  const double brightness = random.Between(1 - kLight, 1 + kLight);
  Relight(brightness, random.Between(1 - kLight, 1 + kLight), out);
}

}  // namespace fogline
