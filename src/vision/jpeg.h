// Decoding JPEG.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vision/image.h"

namespace fogline {

/// True for bytes that begin like a JPEG file.
bool IsJpeg(std::span<const std::byte> file);

/// DecodeImage for JPEG: RGB, grey, CMYK and YCCK. What the library only warns about is forgiven
/// where every pixel is there (stray bytes between segments, odd JFIF versions, bad colour
/// profiles); missing or wrong data is damage. One that comes in
/// several scans (progressive) is in memory whole, and is refused beyond kMaxPixels.
Result<Image> DecodeJpeg(std::span<const std::byte> file, const std::string& where, int at_least);

/// DecodeExactly for JPEG.
Status DecodeJpegExactly(std::span<const std::byte> file, const std::string& where, int width,
                         int height, Image& out);

}  // namespace fogline
