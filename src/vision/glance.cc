#include "vision/glance.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fogline {
namespace {

constexpr int kUnits = 256;        // of a grey level
constexpr int kRowsPerCell = 8;    // that are looked at, of cells that have more
constexpr int kDark = 16;          // cells below so many levels say nothing of the exposure
constexpr double kMostGain = 1.6;  // of exposure between two pictures; beyond, it is a change

/// The part of `length` pixels that cell `i` of `count` covers: one at least.
std::pair<int, int> Span(int i, int count, int length) {
  const int begin = std::min(static_cast<int>(int64_t{i} * length / count), length - 1);
  const int end = static_cast<int>(int64_t{i + 1} * length / count);
  return {begin, std::max(begin + 1, end)};
}

/// What one colour of the whole picture was multiplied by.
double GainOf(const std::array<uint16_t, Glance::kCells>& before,
              const std::array<uint16_t, Glance::kCells>& now) {
  std::array<float, Glance::kCells> ratios;
  size_t count = 0;
  for (size_t i = 0; i < Glance::kCells; ++i) {
    if (before[i] < kDark * kUnits) continue;
    ratios[count++] = static_cast<float>(now[i]) / static_cast<float>(before[i]);
  }
  if (count < Glance::kCells / 4) return 1;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(ratios.begin(), middle, ratios.begin() + static_cast<std::ptrdiff_t>(count));
  const double gain = *middle;
  return gain > 1 / kMostGain && gain < kMostGain ? gain : 1;
}

}  // namespace

Glance GlanceAt(const Image& image) {
  Glance glance;
  glance.width = image.width;
  glance.height = image.height;
  size_t cell = 0;
  for (int row = 0; row < Glance::kRows; ++row) {
    const auto [top, bottom] = Span(row, Glance::kRows, image.height);
    const int step = std::max(1, (bottom - top) / kRowsPerCell);
    for (int column = 0; column < Glance::kColumns; ++column, ++cell) {
      const auto [left, right] = Span(column, Glance::kColumns, image.width);
      std::array<uint64_t, 3> sums{};
      uint64_t pixels = 0;
      for (int y = top; y < bottom; y += step) {
        const size_t start = (static_cast<size_t>(y) * static_cast<size_t>(image.width) +
                              static_cast<size_t>(left)) *
                             3;
        const uint8_t* at = image.rgb.data() + start;
        for (int x = left; x < right; ++x, at += 3) {
          for (size_t c = 0; c < 3; ++c) sums[c] += at[c];
        }
        pixels += static_cast<uint64_t>(right - left);
      }
      for (size_t c = 0; c < 3; ++c) {
        glance.means[c][cell] = static_cast<uint16_t>(sums[c] * kUnits / pixels);
      }
    }
  }
  return glance;
}

double DistanceOf(const Glance& before, const Glance& now) {
  if (before.width != now.width || before.height != now.height) {
    return std::numeric_limits<double>::infinity();
  }
  double most = 0;
  for (size_t c = 0; c < 3; ++c) {
    const double gain = GainOf(before.means[c], now.means[c]);
    for (size_t i = 0; i < Glance::kCells; ++i) {
      most = std::max(most, std::abs(now.means[c][i] - gain * before.means[c][i]));
    }
  }
  return most / kUnits;
}

}  // namespace fogline
