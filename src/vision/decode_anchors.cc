// Layouts that say boxes by their distance from anchors: SSD, RetinaFace, UltraFace, BlazeFace.
#include <algorithm>
#include <cmath>

#include "vision/box_decoders.h"

namespace fogline {
namespace {

/// The likeliest class of a row, whose first one is the background, and its probability.
struct Foreground {
  float score;
  int label;
};
Foreground ForegroundOf(const float* row, size_t classes, bool logits) {
  const Largest best = LargestOf(row + 1, classes);
  if (!logits) return {best.value, static_cast<int>(best.at)};
  const float most = std::max(best.value, row[0]);
  float sum = 0;
  for (size_t c = 0; c <= classes; ++c) sum += std::exp(row[c] - most);
  return {std::exp(best.value - most) / sum, static_cast<int>(best.at)};
}

}  // namespace

/// Priors as of SSD (Liu et al. 2016) with variances 0.1 and 0.2: level by level, row by row, a
/// cell's sizes one after the other, each in all ratios.
void DecodeAnchors(const BoxHead& head, const BoxRules& rules, const BoxNumbers& numbers,
                   BoxCandidates& found) {
  constexpr float kOfPlace = 0.1F, kOfSize = 0.2F;
  const float* scores = numbers.outputs[head.scores].data();
  const float* box = numbers.outputs[head.boxes].data();
  const auto one = [&](float x, float y, float width, float height) {
    const Foreground best = ForegroundOf(scores, head.classes, numbers.logits);
    if (best.score >= found.least()) {
      found.AddCentred(x + box[0] * kOfPlace * width, y + box[1] * kOfPlace * height,
                       width * std::exp(box[2] * kOfSize), height * std::exp(box[3] * kOfSize),
                       best.score, best.label);
    }
    scores += head.classes + 1;
    box += 4;
  };
  for (size_t l = 0; l < head.levels.size(); ++l) {
    const BoxLevel& level = head.levels[l];
    const auto stride = static_cast<float>(level.stride);
    for (size_t cell = 0; cell < level.cells(); ++cell) {
      const float x = (static_cast<float>(cell % level.columns) + 0.5F) * stride / numbers.width;
      const float y = (static_cast<float>(cell / level.columns) + 0.5F) * stride / numbers.height;
      for (const double size : rules.sizes[l]) {
        for (const double ratio : rules.ratios) {
          const auto side = static_cast<float>(size), root = static_cast<float>(std::sqrt(ratio));
          one(x, y, side * root / numbers.width, side / root / numbers.height);
        }
      }
    }
  }
}

/// The network reckons with its anchors itself: corners in parts of the input, beside the scores of
/// background and face.
void DecodeUltraface(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                     BoxCandidates& found) {
  const float* scores = numbers.outputs[head.scores].data();
  const float* box = numbers.outputs[head.boxes].data();
  for (size_t i = 0; i < head.rows; ++i, scores += head.classes + 1, box += 4) {
    const Foreground best = ForegroundOf(scores, head.classes, numbers.logits);
    if (!(best.score >= found.least())) continue;
    found.Add({box[0], box[1], box[2], box[3], best.score, best.label});
  }
}

/// One class. Two anchors a cell of the fine grid and six of the coarse one, all of the input's
/// size: only their middles matter. Landmarks behind the boxes are not read.
void DecodeBlazeface(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
                     BoxCandidates& found) {
  constexpr size_t kFine = 2;
  const float* scores = numbers.outputs[head.scores].data();
  const float* box = numbers.outputs[head.boxes].data();
  for (const BoxLevel& level : head.levels) {
    const size_t each = &level == head.levels.data() ? kFine : 6;
    for (size_t i = 0; i < level.cells() * each; ++i, ++scores, box += head.width) {
      const float score = numbers.logits ? Sigmoid(*scores) : *scores;
      if (!(score >= found.least())) continue;
      const size_t cell = i / each;
      const float x =
          (static_cast<float>(cell % level.columns) + 0.5F) / static_cast<float>(level.columns);
      const float y =
          (static_cast<float>(cell / level.columns) + 0.5F) / static_cast<float>(level.rows);
      found.AddCentred(x + box[0] / numbers.width, y + box[1] / numbers.height,
                       box[2] / numbers.width, box[3] / numbers.height, score, 0);
    }
  }
}

}  // namespace fogline
