#include "edge/mjpeg.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "edge/source.h"

namespace fogline {
namespace {
// JPEG markers (ITU-T T.81, table B.1).
constexpr uint8_t kStartOfImage = 0xD8, kEndOfImage = 0xD9, kStartOfScan = 0xDA, kTemporary = 0x01;
constexpr bool IsRestart(uint8_t code) { return code >= 0xD0 && code <= 0xD7; }
}  // namespace

size_t MjpegSplitter::Feed(std::span<const std::byte> bytes) {
  if (ready_) {
    ready_ = false;
    picture_.clear();
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    Step(std::to_integer<uint8_t>(bytes[i]));
    if (ready_) return i + 1;
  }
  return bytes.size();
}

void MjpegSplitter::Take(std::vector<std::byte>& out) {
  out.swap(picture_);
  picture_.clear();
  ready_ = false;
}

void MjpegSplitter::Drop() {
  skipped_ += picture_.size();
  picture_.clear();
  state_ = State::kStart;
  start_seen_ff_ = false;
}

void MjpegSplitter::Step(uint8_t byte) {
  if (state_ == State::kStart) {
    if (start_seen_ff_ && byte == kStartOfImage) {
      picture_.assign({std::byte{0xFF}, std::byte{kStartOfImage}});
      state_ = State::kMarker;
      start_seen_ff_ = false;
      return;
    }
    skipped_ += start_seen_ff_ ? 1 : 0;
    start_seen_ff_ = byte == 0xFF;
    skipped_ += start_seen_ff_ ? 0 : 1;
    return;
  }
  picture_.push_back(static_cast<std::byte>(byte));
  if (picture_.size() > most_bytes_) return Drop();
  switch (state_) {
    case State::kStart:
      break;
    case State::kMarker:
      if (byte != 0xFF) return Drop();
      state_ = State::kCode;
      break;
    case State::kCode:
      if (byte == 0xFF) break;  // fill bytes before a code
      code_ = byte;
      if (code_ == kEndOfImage) {
        ready_ = true;
        state_ = State::kStart;
      } else if (code_ == 0 || code_ == kStartOfImage) {
        Drop();
      } else {
        state_ = IsRestart(code_) || code_ == kTemporary ? State::kMarker : State::kLengthHigh;
      }
      break;
    case State::kLengthHigh:
      body_left_ = static_cast<size_t>(byte) << 8;
      state_ = State::kLengthLow;
      break;
    case State::kLengthLow:
      body_left_ |= byte;
      if (body_left_ < 2) return Drop();
      body_left_ -= 2;
      state_ = body_left_ > 0          ? State::kBody
               : code_ == kStartOfScan ? State::kScan
                                       : State::kMarker;
      break;
    case State::kBody:
      if (--body_left_ == 0) state_ = code_ == kStartOfScan ? State::kScan : State::kMarker;
      break;
    case State::kScan:
      if (byte == 0xFF) state_ = State::kScanMarker;
      break;
    case State::kScanMarker:
      // FF00 is a stuffed data byte and restarts stand inside a scan; anything else ends it.
      if (byte == 0xFF) break;
      if (byte == 0 || IsRestart(byte)) {
        state_ = State::kScan;
      } else if (byte == kEndOfImage) {
        ready_ = true;
        state_ = State::kStart;
      } else if (byte == kStartOfImage) {
        Drop();
      } else {
        code_ = byte;
        state_ = State::kLengthHigh;
      }
      break;
  }
}

namespace {

class MjpegSource final : public Source {
 public:
  MjpegSource(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  Result<bool> Next(Capture& out) override {
    out.began = Clock::Real().Steady();
    for (;;) {
      while (at_ < filled_) {
        at_ += splitter_.Feed(std::span(buffer_).subspan(at_, filled_ - at_));
        if (!splitter_.ready()) continue;
        splitter_.Take(out.file);
        out.where = name_ + " picture " + std::to_string(++count_);
        out.captured_us = Clock::Real().WallMicros();
        return true;
      }
      FOGLINE_TRY(const bool more, Fill());
      if (!more) return false;
      if (splitter_.idle()) out.began = Clock::Real().Steady();
    }
  }

 private:
  Result<bool> Fill() {
    std::array<pollfd, 2> wanted{{{descriptor_, POLLIN, 0}, {StopDescriptor(), POLLIN, 0}}};
    for (;;) {
      if (poll(wanted.data(), StopDescriptor() >= 0 ? 2 : 1, -1) < 0 && errno != EINTR) break;
      if (StopRequested()) return false;
      const ssize_t n = read(descriptor_, buffer_.data(), buffer_.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) break;
      at_ = 0;
      filled_ = static_cast<size_t>(n);
      if (n == 0 && splitter_.skipped_bytes() > 0) {
        LogWarning("{}: {} bytes were no part of a JPEG picture", name_, splitter_.skipped_bytes());
      }
      return n > 0;
    }
    return Fail(ErrorCode::kUnavailable, name_, "cannot read: {}",
                std::generic_category().message(errno));
  }

  int descriptor_;
  std::string name_;
  MjpegSplitter splitter_;
  std::array<std::byte, 65536> buffer_{};
  size_t at_ = 0, filled_ = 0;
  uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Source> OpenMjpeg(int descriptor, std::string name) {
  return std::make_unique<MjpegSource>(descriptor, std::move(name));
}

}  // namespace fogline
