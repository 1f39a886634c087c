// Decoding HEIC and AVIF, as telephones write them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "vision/image.h"

namespace fogline {

/// The largest HEIC or AVIF: its decoders need some 12 bytes a pixel, whatever is kept of it
/// (docs/pictures.md).
inline constexpr int64_t kMostHeifPixels = 64'000'000;

/// True for bytes that begin like a still picture in the HEIF container: HEIC, AVIF.
bool IsHeif(std::span<const std::byte> file);

/// DecodeImage for HEIC and AVIF of 8 to 12 bits: the primary one of several pictures, cropped,
/// turned and mirrored as the container says (EXIF's orientation is not asked: by the standard it
/// says the same), transparent parts white. With `at_least` it is shrunk by a whole number. What
/// the container claims, and what the coded pictures in it claim, is looked at before any of them
/// is decoded.
Result<Image> DecodeHeif(std::span<const std::byte> file, const std::string& where, int at_least);

/// The EXIF block of its primary picture, as the file has it: four bytes that say how far behind
/// them TIFF begins, then the block. Empty without one. Any bytes may come.
std::vector<std::byte> HeifExif(std::span<const std::byte> file);

}  // namespace fogline
