// Any bytes as a picture: as a file with EXIF, and as the payload of a frame.
#include <cstdint>

#include "vision/folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fogline;
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto picture = DecodePicture(bytes, "fuzz", 64)) {
    if (picture->image.rgb.size() != static_cast<size_t>(picture->image.width) *
                                         static_cast<size_t>(picture->image.height) * 3) {
      __builtin_trap();
    }
    if (picture->exif.position && !IsValid(*picture->exif.position)) __builtin_trap();
  }
  Image exact;
  (void)DecodeExactly(bytes, "fuzz", 32, 24, exact);
  return 0;
}
