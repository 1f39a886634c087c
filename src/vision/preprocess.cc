#include "vision/preprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/half.h"
#include "vision/placement.h"

namespace fogline {
namespace {

constexpr uint8_t kOpaque = 255;

/// As Pillow's convert("L") rounds it.
uint8_t Grey601(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595U + rgb[1] * 38470U + rgb[2] * 7471U + 0x8000U) >> 16);
}
uint8_t Grey709(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 13933U + rgb[1] * 46871U + rgb[2] * 4732U + 0x8000U) >> 16);
}

/// Where one channel's values lie.
struct Place {
  size_t start, step, count;
};

/// One multiplication and one addition a value: (v − mean) / std = v · (1/std) − mean/std.
struct Scale {
  Scale(const ModelCard& card, size_t channel)
      : factor(1.0F / card.std[channel]), shift(-card.mean[channel] / card.std[channel]) {}
  float factor, shift;
  float operator()(uint8_t value) const { return static_cast<float>(value) * factor + shift; }
};

/// Writes a channel whose 8-bit values are `value(0)`, `value(1)` …
template <typename Value>
void Put(const Place& place, const Scale& scale, Tensor& out, const Value& value) {
  const size_t step = place.step, count = place.count;
  if (out.dtype() == DType::kU8) {
    uint8_t* to = out.as<uint8_t>().data() + place.start;
    for (size_t i = 0; i < count; ++i) to[i * step] = value(i);
  } else if (out.dtype() == DType::kF16) {
    std::array<uint16_t, 256> halves;
    for (size_t v = 0; v < halves.size(); ++v) halves[v] = ToHalf(scale(static_cast<uint8_t>(v)));
    uint16_t* to = out.as<uint16_t>().data() + place.start;
    for (size_t i = 0; i < count; ++i) to[i * step] = halves[value(i)];
  } else {
    float* to = out.as<float>().data() + place.start;
    for (size_t i = 0; i < count; ++i) to[i * step] = scale(value(i));
  }
}

/// Moves a picture within its own memory into a larger one and fills what is around it.
void Surround(const LetterboxPlace& at, const ModelCard& card, Image& image) {
  const auto row = static_cast<size_t>(3 * card.width), own = static_cast<size_t>(3 * at.width);
  const auto left = static_cast<size_t>(3 * at.left), top = static_cast<size_t>(at.top);
  const auto rows = static_cast<size_t>(at.height);
  image.rgb.resize(row * static_cast<size_t>(card.height));
  uint8_t* const data = image.rgb.data();
  for (size_t y = rows; y-- > 0;) {  // from the last: none is written over before it has moved
    uint8_t* const to = data + (top + y) * row;
    std::memmove(to + left, data + y * own, own);
    std::memset(to + left + own, card.pad, row - left - own);
    std::memset(to, card.pad, left);
  }
  std::memset(data, card.pad, top * row);
  std::fill(image.rgb.begin() + static_cast<ptrdiff_t>((top + rows) * row), image.rgb.end(),
            card.pad);
  image.width = card.width;
  image.height = card.height;
}

}  // namespace

Rectangle SeenPart(int width, int height, const ModelCard& card) {
  if (card.crop != ModelCard::Crop::kCenter) return {0, 0, width, height};
  // The largest rectangle of the network's proportions, times the fraction, in the middle.
  const double scale =
      std::min(width / static_cast<double>(card.width), height / static_cast<double>(card.height)) *
      card.crop_fraction;
  const int w = std::clamp(static_cast<int>(std::lround(card.width * scale)), 1, width);
  const int h = std::clamp(static_cast<int>(std::lround(card.height * scale)), 1, height);
  return {(width - w) / 2, (height - h) / 2, w, h};
}

void FitToInput(const Image& image, const ModelCard& card, Image& out) {
  if (card.crop == ModelCard::Crop::kLetterbox) {
    const LetterboxPlace at = LetterboxOf(image.width, image.height, card);
    ResizePart(image, {0, 0, image.width, image.height}, at.width, at.height, out);
    return Surround(at, card, out);
  }
  ResizePart(image, SeenPart(image.width, image.height, card), card.width, card.height, out);
}

void Normalise(const Image& fitted, const ModelCard& card, Tensor& out) {
  const size_t pixels = static_cast<size_t>(card.width) * static_cast<size_t>(card.height);
  const auto channels = static_cast<size_t>(card.channels);
  const uint8_t* in = fitted.rgb.data();
  for (size_t c = 0; c < channels; ++c) {
    const Place place{card.channels_last ? c : c * pixels, card.channels_last ? channels : 1,
                      pixels};
    const Scale scale(card, c);
    switch (card.color) {
      case ModelCard::Color::kGrey:
        Put(place, scale, out, [in](size_t i) { return Grey601(in + 3 * i); });
        break;
      case ModelCard::Color::kGrey709:
        Put(place, scale, out, [in](size_t i) { return Grey709(in + 3 * i); });
        break;
      case ModelCard::Color::kRgb:
      case ModelCard::Color::kBgr:
        if (c == 3) {
          Put(place, scale, out, [](size_t) { return kOpaque; });
        } else {
          const size_t from = card.color == ModelCard::Color::kBgr ? 2 - c : c;
          Put(place, scale, out, [in, from](size_t i) { return in[3 * i + from]; });
        }
    }
  }
  // A network of several pictures at once is given the same one in every row.
  const auto rows = static_cast<size_t>(card.batch);
  const std::span<std::byte> bytes = out.bytes();
  const size_t row = bytes.size() / rows;
  for (size_t r = 1; r < rows; ++r) std::memcpy(bytes.data() + r * row, bytes.data(), row);
}

int DecodeAtLeast(const ModelCard& card) {
  // Twice the network's size leaves the resize filter enough to average over. A centre crop sees
  // only a part.
  const double seen = card.crop == ModelCard::Crop::kCenter ? card.crop_fraction : 1.0;
  return static_cast<int>(2 * std::max(card.width, card.height) / seen);
}

}  // namespace fogline
