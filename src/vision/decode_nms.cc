// Layouts of networks that decode and suppress by themselves: corners in pixels, score, class.
#include <cmath>

#include "vision/box_decoders.h"

namespace fogline {
namespace {

/// A class by its number; -1 for what is none.
int LabelOf(float number) {
  return number >= 0 && number < 1e6F ? static_cast<int>(std::lround(number)) : -1;
}

}  // namespace

/// Rows of 6 (corners, score, class: YOLOv10 and exports with NMS), rows of 7 (place in the batch,
/// corners, class, score: YOLOv7), or three tensors of corners, scores and classes.
void DecodeNms(const BoxHead& head, const BoxRules&, const BoxNumbers& numbers,
               BoxCandidates& found) {
  const auto boxes = numbers.outputs[head.boxes];
  for (size_t i = 0; i < head.rows; ++i) {
    const float* row = boxes.data() + i * head.width;
    float score = 0, label = 0;
    if (head.width == 4) {
      score = numbers.outputs[head.scores][i];
      label = numbers.outputs[head.labels][i];
    } else if (head.width == 6) {
      score = row[4];
      label = row[5];
    } else {
      if (row[0] != 0) continue;  // of another picture
      label = row[5];
      score = row[6];
      ++row;
    }
    const int number = LabelOf(label);
    if (number < 0) continue;
    found.Add({row[0] / numbers.width, row[1] / numbers.height, row[2] / numbers.width,
               row[3] / numbers.height, score, number});
  }
}

}  // namespace fogline
