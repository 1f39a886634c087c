// Where a picture file keeps its EXIF.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fogline {

/// The EXIF block of a JPEG (APP1), PNG (eXIf, or the text that ImageMagick writes), WebP (EXIF),
/// HEIC or AVIF (the primary picture's) file in memory, from "Exif\0\0" on, as JPEG has it. Nothing
/// when it has none. Any bytes may come.
std::vector<std::byte> FindExif(std::span<const std::byte> file);

}  // namespace fogline
