// What a fixed camera sees at a glance: coarse enough to compare in microseconds, fine enough that
// what appears in the picture shows.
#pragma once

#include <array>
#include <cstdint>

#include "vision/image.h"

namespace fogline {

/// Mean colours of a grid of cells over the whole picture.
struct Glance {
  static constexpr int kColumns = 32, kRows = 24;
  static constexpr size_t kCells = size_t{kColumns} * kRows;

  int width = 0, height = 0;  // of the picture, in pixels
  /// Red, green and blue of each cell, row by row, in 1/256 of a grey level.
  std::array<std::array<uint16_t, kCells>, 3> means{};
};

/// Takes out of a picture, which is not empty, what its cells are like.
Glance GlanceAt(const Image& image);

/// How much of `now` was not so in `before`, in grey levels of 0…255: the largest difference that
/// one cell has in one colour. What the whole picture does alike is no difference: each colour of
/// `before` is first scaled by the median of what its cells became (exposure, white balance,
/// clouds). Infinite for pictures of other sizes.
double DistanceOf(const Glance& before, const Glance& now);

}  // namespace fogline
