// What a camera wrote beside the pixels: where, when, which way up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "vision/image.h"

namespace fogline {

/// A place on earth, WGS 84. NaN means unknown.
struct Position {
  double lat = 0;  // degrees north
  double lon = 0;  // degrees east
  float accuracy_m = std::numeric_limits<float>::quiet_NaN();
  float heading_deg = std::numeric_limits<float>::quiet_NaN();  // clockwise from north
};

/// True for finite coordinates on the globe.
bool IsValid(const Position& position);

struct Exif {
  std::optional<Position> position;
  std::optional<int64_t> captured_us;  // microseconds since 1970, taking the camera's clock as UTC
                                       // unless it says its offset
  int orientation = 1;                 // EXIF 1…8; 1 is upright
};

/// Reads the EXIF block of a JPEG file in memory. Nothing readable gives the defaults: a picture
/// without EXIF is fine.
Exif ReadExif(std::span<const std::byte> jpeg);

/// Turns a picture upright as EXIF's orientation asks.
void Upright(int orientation, Image& image);

}  // namespace fogline
