#include "vision/shrink.h"

#include <algorithm>

namespace fogline {

int WholeStep(int width, int height, int at_least) {
  return at_least <= 0 ? 1 : std::max(1, std::min(width, height) / at_least);
}

int StepOf(int width, int height, int at_least) {
  if (static_cast<int64_t>(width) * height <= kMaxPixels) return 1;
  static_assert(kMostPixels / 4 <= kMaxPixels);
  return std::max(2, WholeStep(width, height, at_least));
}

Shrinker::Shrinker(int width, int height, int step, Image& out)
    : width_(static_cast<size_t>(width)),
      step_(static_cast<size_t>(step)),
      height_(height),
      out_(out) {
  out.width = (width - 1) / step + 1;
  out.height = (height - 1) / step + 1;
  out.rgb.resize(static_cast<size_t>(out.width) * static_cast<size_t>(out.height) * 3);
  sums_.resize(static_cast<size_t>(out.width) * 3);
}

void Shrinker::Row(const uint8_t* rgb) {
  uint32_t* sum = sums_.data();
  for (size_t x = 0; x < width_; sum += 3) {
    for (const size_t end = std::min(x + step_, width_); x < end; ++x, rgb += 3) {
      for (size_t c = 0; c < 3; ++c) sum[c] += rgb[c];
    }
  }
  ++row_;
  const auto step = static_cast<int>(step_);
  if (row_ % step == 0) {
    Flush(step);
  } else if (row_ == height_) {
    Flush(row_ % step);
  }
}

void Shrinker::Flush(int rows) {
  uint8_t* to =
      out_.rgb.data() + static_cast<size_t>((row_ - 1) / static_cast<int>(step_)) * sums_.size();
  for (size_t i = 0; i < sums_.size(); ++i) {
    const size_t columns = std::min(step_, width_ - i / 3 * step_);
    const auto pixels = static_cast<uint32_t>(columns) * static_cast<uint32_t>(rows);
    *to++ = static_cast<uint8_t>((sums_[i] + pixels / 2) / pixels);
  }
  std::fill(sums_.begin(), sums_.end(), 0);
}

}  // namespace fogline
