// Finding the pictures in a stream of JPEG bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace fogline {

/// Cuts a byte stream into JPEG pictures, as webcams and pipes send them: with frames that are torn
/// anywhere, junk between them, start markers sent twice, stray bytes between segments. A plain
/// state machine: no I/O, no clock.
///
/// Every start marker begins a reader that follows the segments' lengths. A whole picture that a
/// reader finds inside another reader's segment is a thumbnail if that segment ends where its
/// length says, and a picture of its own if it does not: then the outer one was torn, and its
/// length speaks of bytes that never came. So a torn frame never takes a good one with it; at worst
/// its thumbnail is given as a picture.
class MjpegSplitter {
 public:
  /// Pictures beyond `most_bytes` are skipped.
  explicit MjpegSplitter(size_t most_bytes = size_t{32} << 20) : most_bytes_(most_bytes) {}

  void Feed(std::span<const std::byte> bytes);
  /// No more bytes come: what is whole inside what is not becomes ready.
  void Finish();
  /// Replaces `out` by the next whole picture; false when there is none yet. The memory of `out` is
  /// used for the bytes to come.
  bool Next(std::vector<std::byte>& out);

  /// Whether no byte of a picture has come yet that was not given.
  bool idle() const { return readers_.empty() && whole_.empty(); }
  /// Bytes kept: at most the limit and what was fed last.
  size_t held_bytes() const { return buffer_.size() - head_; }
  /// Bytes that were no part of a picture.
  uint64_t skipped_bytes() const {
    return fed_ - given_ - (idle() ? 0 : static_cast<uint64_t>(held_bytes()));
  }

 private:
  enum class State { kMarker, kCode, kLengthHigh, kLengthLow, kBody, kScan, kScanCode };
  enum class Step { kOn, kTorn, kEnd };
  /// One picture that may have begun.
  struct Reader {
    size_t start = 0;  // of its start marker; like all places here, an offset into buffer_
    State state = State::kMarker;
    uint8_t code = 0;
    size_t body_left = 0;
    size_t body_start = 0;
    uint32_t tables = 0, needed = 0;  // quantisation tables seen, and asked for: a bit each
    bool framed = false;              // has seen its frame header
    bool scanned = false;             // and a scan
    bool stray = false;               // bytes stood where a marker was due
    bool stray_here = false;          // so they did behind the last segment
    bool stray_at_start = false;      // and right behind the start marker
  };
  struct Range {
    size_t start = 0, end = 0;
  };

  Step Read(Reader& reader, uint8_t byte);
  Step ReadCode(Reader& reader, uint8_t code);
  Step EndSegment(Reader& reader);
  void Stray(Reader& reader);
  size_t Quiet() const;
  void ReadOne();
  void Begin(size_t start);
  void End();
  void Release();
  void Trim();
  void Shift(size_t by);

  const size_t most_bytes_;
  std::vector<std::byte> buffer_;
  size_t at_ = 0;                // up to here buffer_ has been read
  size_t head_ = 0;              // and up to here it was given or skipped
  std::vector<Reader> readers_;  // by start
  std::vector<size_t> ended_;    // readers that end with the byte just read
  std::deque<Range> whole_;      // by start; the first ready_ of them can be given
  size_t ready_ = 0;
  uint64_t fed_ = 0, given_ = 0;
};

}  // namespace fogline
