// Which of a model's inputs is a picture, and how its numbers lie: the only place that looks at
// shapes for that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// Pixels; what says more is no picture.
inline constexpr int kMaxPictureSide = 8192;

/// An input that takes a picture as [batch, channels, height, width], [batch, height, width,
/// channels], or either without the batch.
struct PictureInput {
  std::string tensor;
  DType dtype = DType::kF32;   // float32, float16 or uint8
  int channels = 3;            // 1, 3 or 4
  int width = 0, height = 0;   // pixels; 0 where the model leaves them open
  bool channels_last = false;  // [height, width, channels]
  bool batched = true;         // a batch dimension stands in front
  int64_t batch = 1;           // rows of it, 1 where it is open; one picture fills the first

  /// Of the whole tensor; open dimensions of a picture as 0.
  Shape shape() const;
};

/// What a model's card says that shapes alone do not.
struct PictureHint {
  std::string tensor;  // the input that is the picture, where there are several it could be
  bool grey = false;   // pictures are of one channel: a matrix without a batch may be one
};

/// The one input that takes a picture; an input of three channels goes before others. kUnsupported
/// when none does, or when several could, naming them all with what would help. Open dimensions are
/// -1.
Result<PictureInput> FindPicture(const std::vector<Port>& inputs, const PictureHint& hint = {});

}  // namespace fogline
