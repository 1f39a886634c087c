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

/// A camera has two clocks at most: its own, which shows the time of some zone, and a GPS
/// receiver's, which shows UTC. Times are microseconds since 1970.
struct Exif {
  std::optional<Position> position;
  std::optional<int64_t> gps_us;    // by the GPS receiver
  std::optional<int64_t> local_us;  // by the camera's own clock, as if it showed UTC
  std::optional<int32_t> offset_s;  // what that clock is ahead of UTC, where the camera says so
  int orientation = 1;              // EXIF 1…8; 1 is upright
  bool odd_time = false;            // it has a date, which cannot be read
  bool odd_place = false;           // it has a place, which cannot be read
};

/// Reads the EXIF block of a JPEG, PNG, WebP, HEIC or AVIF file in memory. Nothing readable gives
/// the defaults: a picture without EXIF is fine. HEIC and AVIF are decoded upright, so their
/// orientation is 1, whatever EXIF says.
Exif ReadExif(std::span<const std::byte> file);

/// Turns a picture upright as EXIF's orientation asks.
void Upright(int orientation, Image& image);

}  // namespace fogline
