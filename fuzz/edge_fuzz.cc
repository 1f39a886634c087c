// What a device reads beside pictures: an MJPEG stream in pieces, a GPX track, gpsd's lines, a
// model's card.
#include <cstdint>
#include <string_view>

#include "edge/locator.h"
#include "edge/mjpeg.h"
#include "vision/card.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  const auto bytes = std::as_bytes(std::span(data, size));
  constexpr size_t kMost = 4096;
  MjpegSplitter splitter(kMost);
  for (size_t at = 0; at < size;) {
    at += splitter.Feed(bytes.subspan(at, std::min<size_t>(size - at, 1 + at % 17)));
    if (splitter.picture().size() > kMost + 1) __builtin_trap();
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto track = ParseGpx(text, "fuzz")) {
    for (const TrackPoint& point : *track) {
      if (!IsValid(point.position)) __builtin_trap();
    }
  }
  if (const auto fix = ParseGpsdLine(text); fix && !IsValid(*fix)) __builtin_trap();
  const std::vector<Port> inputs{{"image", DType::kF32, Shape{1, 3, -1, -1}}};
  const std::vector<Port> outputs{{"logits", DType::kF32, Shape{1, 2}}};
  if (const auto card = ParseCard(text, "fuzz", "/nowhere", inputs, outputs)) {
    if (card->width <= 0 || card->height <= 0) __builtin_trap();
  }
  return 0;
}
