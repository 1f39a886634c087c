// Decoding WebP.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "vision/image.h"

namespace fogline {

/// True for bytes that begin like a WebP file.
bool IsWebp(std::span<const std::byte> file);

/// DecodeImage for WebP, of a moving one the first frame. Beyond kMaxPixels libwebp shrinks while
/// it decodes; lossless pictures and those with transparency would have to be in memory whole, and
/// are refused there.
Result<Image> DecodeWebp(std::span<const std::byte> file, const std::string& where, int at_least);

/// The same for a still picture, shrunk by a whole number that the caller chooses.
Result<Image> DecodeWebpInSteps(std::span<const std::byte> file, const std::string& where,
                                int step);

/// DecodeExactly for WebP.
Status DecodeWebpExactly(std::span<const std::byte> file, const std::string& where, int width,
                         int height, Image& out);

}  // namespace fogline
