// What a device reads beside pictures: an MJPEG stream in pieces, a GPX track, gpsd's lines, a
// model's card, dates.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "edge/locator.h"
#include "edge/mjpeg.h"
#include "vision/card.h"
#include "vision/exif_time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  [[maybe_unused]] static const bool quiet = [] {
    SetLogLevel(LogLevel::kOff);  // what is left out of a track is said, a million times here
    return true;
  }();
  const auto bytes = std::as_bytes(std::span(data, size));
  constexpr size_t kMost = 4096, kPiece = 17;
  MjpegSplitter splitter(kMost);
  std::vector<std::byte> picture;
  size_t given = 0;
  const auto take = [&] {
    while (splitter.Next(picture)) {
      given += picture.size();
      if (picture.size() > kMost || picture.size() < 4) __builtin_trap();
    }
  };
  for (size_t at = 0; at < size;) {
    const size_t n = std::min<size_t>(size - at, 1 + at % kPiece);
    splitter.Feed(bytes.subspan(at, n));
    at += n;
    take();
    if (splitter.held_bytes() > kMost + kPiece) __builtin_trap();
  }
  splitter.Finish();
  take();
  if (given > size || splitter.skipped_bytes() > size) __builtin_trap();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto track = ParseGpx(text, "fuzz")) {
    for (const TrackPoint& point : *track) {
      if (!IsValid(point.position)) __builtin_trap();
    }
    const int64_t middle = (track->front().time_us + track->back().time_us) / 2;
    if (const auto place = Interpolate(*track, middle); place && !IsValid(*place)) __builtin_trap();
  }
  if (const auto time = ParseCameraTime(text); time && time->offset_s.value_or(0) > 15 * 3600) {
    __builtin_trap();
  }
  if (const auto fix = ParseGpsdLine(text); fix && !IsValid(*fix)) __builtin_trap();
  const std::vector<Port> inputs{{"image", DType::kF32, Shape{1, 3, -1, -1}}};
  const std::vector<Port> outputs{{"logits", DType::kF32, Shape{1, 2}}};
  if (const auto card = ParseCard(text, "fuzz", "/nowhere", inputs, outputs)) {
    if (card->width <= 0 || card->height <= 0) __builtin_trap();
  }
  return 0;
}
