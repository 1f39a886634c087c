// Layouts with a row, or a column, a candidate in one tensor: the YOLO family.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "vision/box_decoders.h"

namespace fogline {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 512;  // columns at a time: what is kept of them stays in the cache

}  // namespace

Largest LargestOf(const float* values, size_t count) {
  constexpr size_t kLanes = 8;
  std::array<float, kLanes> lanes;
  lanes.fill(kLowest);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l)
      lanes[l] = values[i + l] > lanes[l] ? values[i + l] : lanes[l];
  }
  float best = kLowest;
  for (const float lane : lanes) best = std::max(best, lane);
  for (; i < count; ++i) best = values[i] > best ? values[i] : best;
  const auto* const at = std::find(values, values + count, best);
  return {best, static_cast<size_t>(at - values)};
}

void LargestOfColumns(const float* values, size_t rows, size_t stride, size_t count,
                      float* largest) {
  std::fill_n(largest, count, kLowest);
  for (size_t r = 0; r < rows; ++r) {
    const float* row = values + r * stride;
    for (size_t i = 0; i < count; ++i) largest[i] = row[i] > largest[i] ? row[i] : largest[i];
  }
}

int RowWith(float value, const float* column, size_t rows, size_t stride) {
  size_t row = 0;
  while (row + 1 < rows && column[row * stride] != value) ++row;
  return static_cast<int>(row);
}

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// Rows of x, y, width, height in pixels, the object's score and those of its classes.
void DecodeYolov5(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                  BoxCandidates& found) {
  const float* row = numbers.outputs[head.boxes].data();
  for (size_t i = 0; i < head.rows; ++i, row += head.width) {
    if (!(row[4] >= found.least())) continue;
    const Largest best = LargestOf(row + 5, head.classes);
    found.AddCentred(row[0] / numbers.width, row[1] / numbers.height, row[2] / numbers.width,
                     row[3] / numbers.height, row[4] * best.value, static_cast<int>(best.at));
  }
}

/// As DecodeYolov8, a row a candidate instead of a column.
void DecodeYolov8Rows(const BoxHead& head, const BoxNumbers& numbers, BoxCandidates& found) {
  const float* row = numbers.outputs[head.boxes].data();
  for (size_t i = 0; i < head.rows; ++i, row += head.width) {
    const Largest best = LargestOf(row + 4, head.classes);
    if (!(best.value >= found.least())) continue;
    found.AddCentred(row[0] / numbers.width, row[1] / numbers.height, row[2] / numbers.width,
                     row[3] / numbers.height, best.value, static_cast<int>(best.at));
  }
}

/// Columns of x, y, width, height in pixels and the scores of the classes.
void DecodeYolov8(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                  BoxCandidates& found) {
  if (head.transposed) return DecodeYolov8Rows(head, numbers, found);
  const float* v = numbers.outputs[head.boxes].data();
  const size_t n = head.rows;
  std::array<float, kBlock> score;
  for (size_t from = 0; from < n; from += kBlock) {
    const size_t count = std::min(kBlock, n - from);
    LargestOfColumns(v + 4 * n + from, head.classes, n, count, score.data());
    for (size_t i = 0; i < count; ++i) {
      if (!(score[i] >= found.least())) continue;
      const float* at = v + from + i;
      found.AddCentred(at[0] / numbers.width, at[n] / numbers.height, at[2 * n] / numbers.width,
                       at[3 * n] / numbers.height, score[i],
                       RowWith(score[i], at + 4 * n, head.classes, n));
    }
  }
}

/// Rows as of YOLOv5, but places in cells from the row's own cell, sizes as logarithms of cells
/// (Ge et al. 2021, demo_postprocess).
void DecodeYolox(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                 BoxCandidates& found) {
  const float* row = numbers.outputs[head.boxes].data();
  for (const BoxLevel& level : head.levels) {
    const auto stride = static_cast<float>(level.stride);
    const float across = stride / numbers.width, down = stride / numbers.height;
    for (size_t y = 0; y < level.rows; ++y) {
      for (size_t x = 0; x < level.columns; ++x, row += head.width) {
        if (!(row[4] >= found.least())) continue;
        const Largest best = LargestOf(row + 5, head.classes);
        const float score = row[4] * best.value;
        if (!(score >= found.least())) continue;
        found.AddCentred((row[0] + static_cast<float>(x)) * across,
                         (row[1] + static_cast<float>(y)) * down, std::exp(row[2]) * across,
                         std::exp(row[3]) * down, score, static_cast<int>(best.at));
      }
    }
  }
}

}  // namespace fogline
