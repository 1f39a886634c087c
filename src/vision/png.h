// Decoding PNG.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vision/image.h"

namespace fogline {

/// True for bytes that begin like a PNG file.
bool IsPng(std::span<const std::byte> file);

/// DecodeImage for PNG of every kind: transparent parts become white. A picture that says nothing
/// of its gamma is sRGB, 16 bits or 8. Beyond kMaxPixels it is shrunk row by row; one whose rows
/// are interlaced would have to be in memory whole, and is refused there.
Result<Image> DecodePng(std::span<const std::byte> file, const std::string& where, int at_least);

/// The same row by row, shrunk by a whole number that the caller chooses.
Result<Image> DecodePngInSteps(std::span<const std::byte> file, const std::string& where, int step);

}  // namespace fogline
