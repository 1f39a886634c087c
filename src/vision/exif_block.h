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

/// A JPEG file without what it says beside its pixels: EXIF and other applications' segments (but
/// JFIF's, Adobe's and colour profiles, which say what the pixels mean), comments, and whatever
/// follows its end. Nothing of what is no JPEG. Any bytes may come.
std::vector<std::byte> PixelsAlone(std::span<const std::byte> jpeg);

}  // namespace fogline
