// Finding the pictures in a stream of JPEG bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fogline {

/// Cuts a byte stream into JPEG pictures. It follows the segments' lengths, so that a thumbnail
/// inside EXIF does not end a picture early; bytes between pictures and pictures past the size
/// limit are skipped and counted. A plain state machine: no I/O, no clock.
class MjpegSplitter {
 public:
  explicit MjpegSplitter(size_t most_bytes = size_t{32} << 20) : most_bytes_(most_bytes) {}

  /// Takes bytes up to the end of the next whole picture, which is then in picture(); the number of
  /// bytes taken. When no picture is whole yet all bytes are taken and ready() is false.
  size_t Feed(std::span<const std::byte> bytes);

  bool ready() const { return ready_; }
  /// Whether no byte of a picture has come yet.
  bool idle() const { return picture_.empty(); }
  const std::vector<std::byte>& picture() const { return picture_; }
  /// Swaps the picture out, for a reader that keeps it.
  void Take(std::vector<std::byte>& out);
  uint64_t skipped_bytes() const { return skipped_; }

 private:
  enum class State { kStart, kMarker, kCode, kLengthHigh, kLengthLow, kBody, kScan, kScanMarker };
  void Step(uint8_t byte);
  void Drop();

  size_t most_bytes_;
  State state_ = State::kStart;
  bool start_seen_ff_ = false;
  uint8_t code_ = 0;
  size_t body_left_ = 0;
  bool ready_ = false;
  std::vector<std::byte> picture_;
  uint64_t skipped_ = 0;
};

}  // namespace fogline
