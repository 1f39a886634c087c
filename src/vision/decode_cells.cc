// Layouts with a cell a candidate, level by level: GFL heads, FastestDet, YuNet.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "vision/box_decoders.h"

namespace fogline {
namespace {

/// Distances of a box's left, top, right and bottom from the middle of its cell, in cells: the mean
/// of the distribution that a softmax makes of each (Li et al. 2020, "Generalized Focal Loss").
std::array<float, 4> Distances(const float* logits, size_t bins) {
  std::array<float, 4> mean{};
  for (float& side : mean) {
    const float largest = LargestOf(logits, bins).value;
    float sum = 0, weighted = 0;
    for (size_t b = 0; b < bins; ++b) {
      const float e = std::exp(logits[b] - largest);
      sum += e;
      weighted += e * static_cast<float>(b);
    }
    side = weighted / sum;
    logits += bins;
  }
  return mean;
}

}  // namespace

/// NanoDet and PicoDet measure from the middle of a cell, NanoDet-Plus, whose scores and boxes lie
/// side by side, from its corner.
void DecodeNanodet(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                   BoxCandidates& found) {
  const size_t score_step = head.joined ? head.classes + 4 * head.bins : head.classes;
  const size_t box_step = head.joined ? score_step : 4 * head.bins;
  const float middle = head.joined ? 0.0F : 0.5F;
  size_t before = 0;  // cells of earlier levels
  for (const BoxLevel& level : head.levels) {
    const float* scores = numbers.outputs[level.scores].data();
    const float* boxes = numbers.outputs[level.boxes].data();
    if (head.joined) {
      scores += before * score_step;
      boxes = scores + head.classes;
      before += level.cells();
    }
    const auto stride = static_cast<float>(level.stride);
    const float across = stride / numbers.width, down = stride / numbers.height;
    for (size_t cell = 0; cell < level.cells(); ++cell) {
      const Largest best = LargestOf(scores + cell * score_step, head.classes);
      const float score = numbers.logits ? Sigmoid(best.value) : best.value;
      if (!(score >= found.least())) continue;
      const auto distance = Distances(boxes + cell * box_step, head.bins);
      const float x = static_cast<float>(cell % level.columns) + middle;
      const float y = static_cast<float>(cell / level.columns) + middle;
      found.Add({(x - distance[0]) * across, (y - distance[1]) * down, (x + distance[2]) * across,
                 (y + distance[3]) * down, score, static_cast<int>(best.at)});
    }
  }
}

/// Planes of one grid: the object's score, x, y, width, height, the classes' scores (FastestDet's
/// handle_preds and example/onnx-runtime).
void DecodeFastestdet(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                      BoxCandidates& found) {
  constexpr float kOfObject = 0.6F, kOfClass = 0.4F;
  const BoxLevel& level = head.levels[0];
  const size_t n = level.cells();
  const float* planes = numbers.outputs[head.boxes].data();
  std::vector<float> best(n);
  LargestOfColumns(planes + 5 * n, head.classes, n, n, best.data());
  const auto columns = static_cast<float>(level.columns), rows = static_cast<float>(level.rows);
  for (size_t cell = 0; cell < n; ++cell) {
    const float* at = planes + cell;
    const float score = std::pow(at[0], kOfObject) * std::pow(best[cell], kOfClass);
    if (!(score >= found.least())) continue;
    const auto x = static_cast<float>(cell % level.columns);
    const auto y = static_cast<float>(cell / level.columns);
    found.AddCentred((x + std::tanh(at[n])) / columns, (y + std::tanh(at[2 * n])) / rows,
                     Sigmoid(at[3 * n]), Sigmoid(at[4 * n]), score,
                     RowWith(best[cell], at + 5 * n, head.classes, n));
  }
}

/// One class, whose score is the geometric mean of two (OpenCV's FaceDetectorYN). The two are alike
/// in shape, and their product does not care which is which.
void DecodeYunet(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                 BoxCandidates& found) {
  for (const BoxLevel& level : head.levels) {
    const float* scores = numbers.outputs[level.scores].data();
    const float* objects = numbers.outputs[level.objects].data();
    const float* box = numbers.outputs[level.boxes].data();
    const auto stride = static_cast<float>(level.stride);
    const float across = stride / numbers.width, down = stride / numbers.height;
    for (size_t cell = 0; cell < level.cells(); ++cell, box += 4) {
      const float score =
          std::sqrt(std::clamp(scores[cell], 0.0F, 1.0F) * std::clamp(objects[cell], 0.0F, 1.0F));
      if (!(score >= found.least())) continue;
      const auto x = static_cast<float>(cell % level.columns);
      const auto y = static_cast<float>(cell / level.columns);
      found.AddCentred((x + box[0]) * across, (y + box[1]) * down, std::exp(box[2]) * across,
                       std::exp(box[3]) * down, score, 0);
    }
  }
}

}  // namespace fogline
