// Where a network's output has which class each pixel is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/tensor.h"
#include "vision/card.h"

namespace fogline {

/// Classes of a mask are numbered from 0 to below this.
inline constexpr int64_t kMostClasses = 65536;

/// An output as a picture of classes. Of a batch it is the first row.
struct MaskHead {
  int64_t channels = 1;  // scores a pixel; of one channel a pixel is of class 1 from a score on
  bool channels_last = false;
  bool numbers = false;  // one channel that holds classes by their numbers
  int64_t height = 0, width = 0;
  size_t classes = 0;  // told apart; 0: nobody knows
};

/// 1×C×H×W, 1×H×W×C, or 1×H×W with one score or one class a pixel (docs/vision.md); nothing where
/// the shape is none of them or open.
std::optional<MaskHead> FindMaskHead(const Port& output, const ModelCard& card);

/// What shapes FindMaskHead takes, for whoever has another.
std::string ShapesOfMasks();

/// Whether an output looks like a mask and like nothing else: as large as the picture, with classes
/// by number or with scores of a number of classes that is none of a picture's channels.
bool LooksLikeMask(const Port& output, const ModelCard& card);

}  // namespace fogline
