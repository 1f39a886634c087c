#include "edge/mjpeg.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "edge/interruption.h"
#include "edge/source.h"

namespace fogline {
namespace {

// JPEG markers (ITU-T T.81, table B.1).
constexpr uint8_t kStartOfImage = 0xD8, kEndOfImage = 0xD9, kStartOfScan = 0xDA,
                  kQuantisation = 0xDB, kTemporary = 0x01;
constexpr size_t kMostReaders = 16;  // segments within segments within segments …

bool StandsAlone(uint8_t code) { return (code >= 0xD0 && code <= 0xD7) || code == kTemporary; }
bool IsFrameHeader(uint8_t code) {
  return code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC;
}
/// Markers of segments that a decoder knows or may pass over.
bool IsSegment(uint8_t code) {
  return (code >= 0xC0 && code <= 0xCF && code != 0xC8) || (code >= kStartOfScan && code <= 0xDD) ||
         (code >= 0xE0 && code <= 0xEF) || code == 0xFE;
}

/// The quantisation tables that a DQT segment holds, a bit each.
uint32_t TablesIn(std::span<const std::byte> body) {
  uint32_t tables = 0;
  while (!body.empty()) {
    const auto head = std::to_integer<uint32_t>(body[0]);
    tables |= 1U << (head & 15);
    body = body.subspan(std::min<size_t>(body.size(), (head >> 4) == 0 ? 65 : 129));
  }
  return tables;
}

/// The quantisation tables that a frame header asks for.
uint32_t TablesOf(std::span<const std::byte> body) {
  uint32_t tables = 0;
  for (size_t i = 8; i < body.size(); i += 3)
    tables |= 1U << (std::to_integer<uint32_t>(body[i]) & 15);
  return tables;
}

}  // namespace

void MjpegSplitter::Feed(std::span<const std::byte> bytes) {
  fed_ += bytes.size();
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  while (at_ < buffer_.size()) {
    const size_t quiet = Quiet();
    for (Reader& reader : readers_) {
      if (reader.state == State::kBody) reader.body_left -= quiet;
    }
    at_ += quiet;
    while (!readers_.empty() && at_ - readers_[0].start >= most_bytes_)
      readers_.erase(readers_.begin());
    Release();
    if (at_ < buffer_.size()) ReadOne();
  }
  Trim();
}

void MjpegSplitter::Finish() {
  readers_.clear();
  Release();
}

bool MjpegSplitter::Next(std::vector<std::byte>& out) {
  if (ready_ == 0) return false;
  const Range picture = whole_.front();
  whole_.pop_front();
  --ready_;
  given_ += picture.end - picture.start;
  const auto place = [&](size_t at) { return buffer_.begin() + static_cast<ptrdiff_t>(at); };
  if (buffer_.size() - picture.end > picture.end - picture.start) {
    out.assign(place(picture.start), place(picture.end));
    head_ = picture.end;
    return true;
  }
  // What is behind the picture is the smaller part: that is what moves.
  out.assign(place(picture.end), buffer_.end());
  buffer_.resize(picture.end);
  buffer_.erase(buffer_.begin(), place(picture.start));
  out.swap(buffer_);
  head_ = 0;
  Shift(picture.end);
  return true;
}

/// The number of bytes to come that mean nothing to any reader.
size_t MjpegSplitter::Quiet() const {
  size_t quiet = buffer_.size() - at_;
  for (const Reader& reader : readers_) {
    if (reader.state == State::kBody) {
      quiet = std::min(quiet, reader.body_left - 1);
    } else if (reader.state != State::kScan) {
      return 0;
    }
  }
  if (quiet == 0 || (at_ > 0 && buffer_[at_ - 1] == std::byte{0xFF})) return 0;
  const void* found = std::memchr(buffer_.data() + at_, 0xFF, quiet);
  return found == nullptr
             ? quiet
             : static_cast<size_t>(static_cast<const std::byte*>(found) - buffer_.data()) - at_;
}

void MjpegSplitter::ReadOne() {
  const auto byte = std::to_integer<uint8_t>(buffer_[at_]);
  const bool start = byte == kStartOfImage && at_ > 0 && buffer_[at_ - 1] == std::byte{0xFF};
  ended_.clear();
  size_t left = 0;
  for (size_t i = 0; i < readers_.size(); ++i) {
    const Step step = Read(readers_[i], byte);
    if (step == Step::kTorn) continue;
    if (step == Step::kEnd) ended_.push_back(left);
    readers_[left++] = readers_[i];
  }
  readers_.resize(left);
  ++at_;
  if (start) Begin(at_ - 2);
  if (!ended_.empty()) End();
  Release();
}

void MjpegSplitter::Begin(size_t start) {
  if (readers_.size() == kMostReaders) readers_.erase(readers_.begin());
  Reader reader;
  reader.start = start;
  readers_.push_back(reader);
}

MjpegSplitter::Step MjpegSplitter::Read(Reader& reader, uint8_t byte) {
  switch (reader.state) {
    case State::kMarker:
      if (byte == 0xFF) {
        reader.state = State::kCode;
      } else {
        Stray(reader);
      }
      return Step::kOn;
    case State::kCode:
      if (byte == 0xFF) return Step::kOn;  // fill bytes before a code
      if (byte == 0) {
        Stray(reader);
        reader.state = State::kMarker;
        return Step::kOn;
      }
      return ReadCode(reader, byte);
    case State::kLengthHigh:
      reader.body_left = static_cast<size_t>(byte) << 8;
      reader.state = State::kLengthLow;
      return Step::kOn;
    case State::kLengthLow:
      reader.body_left |= byte;
      if (reader.body_left < 2) return Step::kTorn;
      reader.body_left -= 2;
      reader.body_start = at_ + 1;
      reader.state = State::kBody;
      return reader.body_left == 0 ? EndSegment(reader) : Step::kOn;
    case State::kBody:
      return --reader.body_left == 0 ? EndSegment(reader) : Step::kOn;
    case State::kScan:
      if (byte == 0xFF) reader.state = State::kScanCode;
      return Step::kOn;
    case State::kScanCode:
      // FF00 is a stuffed data byte and restarts stand inside a scan; anything else ends it.
      if (byte == 0xFF) return Step::kOn;
      if (byte == 0 || StandsAlone(byte)) {
        reader.state = State::kScan;
        return Step::kOn;
      }
      return ReadCode(reader, byte);
  }
  return Step::kTorn;
}

MjpegSplitter::Step MjpegSplitter::ReadCode(Reader& reader, uint8_t code) {
  if (code == kEndOfImage) return reader.scanned ? Step::kEnd : Step::kTorn;
  if (StandsAlone(code)) {
    reader.state = State::kMarker;
    return Step::kOn;
  }
  if (!IsSegment(code) || (IsFrameHeader(code) && reader.framed) ||
      (code == kStartOfScan && !reader.framed)) {
    return Step::kTorn;
  }
  // The segment before ended where its length said, and nothing that began inside it goes on:
  // pictures in it are its own.
  if (!reader.stray_here && &reader == &readers_.back()) {
    while (whole_.size() > ready_ && whole_.back().start > reader.start) whole_.pop_back();
  }
  reader.code = code;
  reader.state = State::kLengthHigh;
  return Step::kOn;
}

MjpegSplitter::Step MjpegSplitter::EndSegment(Reader& reader) {
  const auto body = std::span(buffer_).subspan(reader.body_start, at_ + 1 - reader.body_start);
  reader.state = State::kMarker;
  reader.stray_here = false;
  if (reader.code == kQuantisation) {
    reader.tables |= TablesIn(body);
  } else if (IsFrameHeader(reader.code)) {
    reader.framed = true;
    reader.needed = TablesOf(body);
  } else if (reader.code == kStartOfScan) {
    reader.scanned = true;
    reader.state = State::kScan;
    if ((reader.needed & ~reader.tables) != 0) return Step::kTorn;
  }
  return Step::kOn;
}

void MjpegSplitter::Stray(Reader& reader) {
  reader.stray_here = reader.stray = true;
  if (at_ == reader.start + 2) reader.stray_at_start = true;
}

/// Of readers that end in the same place the one that began last has the picture: the others were
/// torn, and went on with its segments. Only a start marker that no marker follows may be an
/// accident, two bytes of an outer segment's data: then the outer one counts, if it never lost its
/// way.
void MjpegSplitter::End() {
  size_t winner = ended_.back();
  for (auto outer = ended_.rbegin() + 1; outer != ended_.rend(); ++outer) {
    if (readers_[winner].stray_at_start && !readers_[*outer].stray) winner = *outer;
  }
  const Range picture{readers_[winner].start, at_};
  // What began inside a whole picture is part of it.
  while (whole_.size() > ready_ && whole_.back().start > picture.start) whole_.pop_back();
  whole_.push_back(picture);
  size_t left = 0;
  for (size_t i = 0; i < winner; ++i) {
    if (std::find(ended_.begin(), ended_.end(), i) == ended_.end()) readers_[left++] = readers_[i];
  }
  readers_.resize(left);
}

/// Whole pictures that nothing older may still take for its own are ready.
void MjpegSplitter::Release() {
  const size_t oldest = readers_.empty() ? std::numeric_limits<size_t>::max() : readers_[0].start;
  while (ready_ < whole_.size() && whole_[ready_].start < oldest) ++ready_;
}

void MjpegSplitter::Trim() {
  // The last byte may be the first half of a start marker.
  size_t keep = at_ - (at_ > 0 && buffer_[at_ - 1] == std::byte{0xFF} ? 1 : 0);
  if (!readers_.empty()) keep = std::min(keep, readers_[0].start);
  if (!whole_.empty()) keep = std::min(keep, whole_[0].start);
  keep = std::max(keep, head_);
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(keep));
  head_ = 0;
  Shift(keep);
}

/// The first `by` bytes of buffer_ are gone.
void MjpegSplitter::Shift(size_t by) {
  at_ -= by;
  for (Reader& reader : readers_) {
    reader.start -= by;
    reader.body_start -= by;
  }
  for (Range& range : whole_) {
    range.start -= by;
    range.end -= by;
  }
}

namespace {

class MjpegSource final : public Source {
 public:
  MjpegSource(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  Result<bool> Next(Capture& out) override {
    out.began = Clock::Real().Steady();
    for (;;) {
      if (splitter_.Next(out.file)) {
        out.where = name_ + " picture " + std::to_string(++count_);
        out.captured_us = Clock::Real().WallMicros();
        out.captured_from = TimeSource::kClock;
        return true;
      }
      if (finished_) return End();
      FOGLINE_TRY(const size_t n, Fill());
      if (StopRequested()) return false;
      if (splitter_.idle()) out.began = Clock::Real().Steady();
      splitter_.Feed(std::span(buffer_).first(n));
      finished_ = n == 0;
      if (finished_) splitter_.Finish();
    }
  }

  void Interrupt() override { interrupt_.Set(); }

 private:
  /// The stream's end, at which what was passed over is said once.
  bool End() {
    const uint64_t skipped = splitter_.skipped_bytes();
    if (skipped > said_) {
      LogWarning("{}: {} bytes were no part of a whole JPEG picture", name_, skipped);
    }
    said_ = skipped;
    return false;
  }

  /// Bytes read into the buffer; none at the end of the stream, or when a stop was asked for.
  Result<size_t> Fill() {
    for (;;) {
      const auto wake = interrupt_.Wait(descriptor_, POLLIN, -1);
      if (wake == Interruption::Wake::kStopped) return 0;
      if (wake == Interruption::Wake::kFailed) break;
      const ssize_t n = read(descriptor_, buffer_.data(), buffer_.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) break;
      return static_cast<size_t>(n);
    }
    return Fail(ErrorCode::kUnavailable, name_, "cannot read: {}",
                std::generic_category().message(errno));
  }

  int descriptor_;
  std::string name_;
  Interruption interrupt_;
  MjpegSplitter splitter_;
  std::array<std::byte, 65536> buffer_{};
  bool finished_ = false;
  uint64_t said_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Source> OpenMjpeg(int descriptor, std::string name) {
  return std::make_unique<MjpegSource>(descriptor, std::move(name));
}

}  // namespace fogline
