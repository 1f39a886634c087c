// A mask's classes, a piece of a row at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "vision/mask_head.h"

namespace fogline {

/// Not thread-safe; refers to the tensor and to the card.
class MaskPixels {
 public:
  static constexpr int64_t kPiece = 4096;  // pixels at most

  MaskPixels(const TensorView& tensor, const MaskHead& head, const ModelCard& card);

  /// The classes of `count` pixels from column x on in row y, valid until the next call. kConflict
  /// as ReadMask has it.
  Result<std::span<const uint16_t>> Read(int64_t y, int64_t x, int64_t count);

 private:
  Status ByNumber(size_t from, size_t count);
  Status ByScore(size_t from, size_t count);
  Status ByPlanes(size_t from, size_t count);
  Status ByPixels(size_t from, size_t count);
  /// Elements as floats, where they lie or converted.
  Result<std::span<const float>> Floats(size_t from, size_t count);
  tl::unexpected<Error> HasNaN() const;

  const TensorView& tensor_;
  const MaskHead& head_;
  const ModelCard& card_;
  float least_;  // score of one channel
  std::vector<float> room_, best_;
  std::vector<uint16_t> classes_;
};

}  // namespace fogline
