// Pictures as they come through a pipe, uncompressed.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/result.h"
#include "vision/image.h"

namespace fogline {

/// Reads binary PPM pictures of 8 bits, one right behind the other, as ffmpeg's coder `ppm` writes
/// them: "P6\n640 360\n255\n", then RGB. Each says its own size, so that a camera may change it. A
/// plain state machine: no I/O, no clock; bytes are read right to where they stay.
class PpmReader {
 public:
  /// Where the next bytes belong; never empty. Until the next call of anything here.
  std::span<std::byte> Room();
  /// The first `n` bytes of Room() are there. True when a picture became whole by them, which Take
  /// gives. kInvalid for what is no such stream, kExhausted for a picture beyond kMaxPixels.
  Result<bool> Filled(size_t n);
  /// Swaps the whole picture for one whose memory is used for the next.
  void Take(Image& out);
  /// Whether a picture has begun and is not whole.
  bool begun() const { return filled_ > 0; }
  /// Forgets a picture that will not be whole.
  void Reset() { filled_ = header_ = 0; }

 private:
  Status ReadHeader();

  std::array<char, 32> text_{};  // the header, which is shorter
  size_t header_ = 0;            // its length, once it is whole
  size_t filled_ = 0;            // bytes of this picture, its header among them
  Image picture_;
};

}  // namespace fogline
