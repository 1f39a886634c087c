#include "vision/preprocess.h"

#include <algorithm>
#include <cmath>

namespace fogline {

Rectangle SeenPart(int width, int height, const ModelCard& card) {
  if (card.crop == ModelCard::Crop::kSquash) return {0, 0, width, height};
  // The largest rectangle of the network's proportions, times the fraction, in the middle.
  const double scale =
      std::min(width / static_cast<double>(card.width), height / static_cast<double>(card.height)) *
      card.crop_fraction;
  const int w = std::clamp(static_cast<int>(std::lround(card.width * scale)), 1, width);
  const int h = std::clamp(static_cast<int>(std::lround(card.height * scale)), 1, height);
  return {(width - w) / 2, (height - h) / 2, w, h};
}

void FitToInput(const Image& image, const ModelCard& card, Image& out) {
  ResizePart(image, SeenPart(image.width, image.height, card), card.width, card.height, out);
}

void Normalise(const Image& fitted, const ModelCard& card, Tensor& out) {
  const size_t pixels = static_cast<size_t>(card.width) * static_cast<size_t>(card.height);
  const uint8_t* in = fitted.rgb.data();
  for (size_t c = 0; c < 3; ++c) {
    const size_t from = card.bgr ? 2 - c : c;
    const size_t step = card.channels_last ? 3 : 1;
    const size_t start = card.channels_last ? c : c * pixels;
    if (card.dtype == DType::kU8) {
      uint8_t* to = out.as<uint8_t>().data() + start;
      for (size_t i = 0; i < pixels; ++i) to[i * step] = in[3 * i + from];
    } else {
      // One multiplication and one addition a value: (v − mean) / std = v · (1/std) − mean/std.
      const float scale = 1.0F / card.std[c], shift = -card.mean[c] / card.std[c];
      float* to = out.as<float>().data() + start;
      for (size_t i = 0; i < pixels; ++i)
        to[i * step] = static_cast<float>(in[3 * i + from]) * scale + shift;
    }
  }
}

int DecodeAtLeast(const ModelCard& card) {
  // Twice the network's size leaves the resize filter enough to average over. A centre crop sees
  // only a part.
  const double seen = card.crop == ModelCard::Crop::kCenter ? card.crop_fraction : 1.0;
  return static_cast<int>(2 * std::max(card.width, card.height) / seen);
}

}  // namespace fogline
