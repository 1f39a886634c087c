// Where the device was when a picture was taken.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vision/exif.h"

namespace fogline {

/// Answers for pictures whose EXIF has no position. Thread-safe.
class Locator {
 public:
  virtual ~Locator() = default;
  /// The position at a time of the wall clock (microseconds since 1970); nothing when unknown.
  virtual std::optional<Position> At(int64_t wall_us) = 0;
};

/// One fix of a recorded track.
struct TrackPoint {
  int64_t time_us = 0;
  Position position;
};

/// Reads the track points of a GPX file that have a time, in the order of time. kInvalid when it
/// has none.
Result<std::vector<TrackPoint>> ParseGpx(std::string_view xml, const std::string& where);

/// Between two fixes: linear in time, heading along the way. Nothing before the first and after the
/// last.
std::optional<Position> Interpolate(const std::vector<TrackPoint>& track, int64_t time_us);

/// A device that does not move: "51.068,4.500".
Result<std::unique_ptr<Locator>> FixedLocator(const std::string& lat_lon);
/// A recorded track.
Result<std::unique_ptr<Locator>> GpxLocator(const std::string& file);
/// A running gpsd, "host:port" (2947 by default); reconnects by itself, a fix older than 5 s counts
/// as none.
Result<std::unique_ptr<Locator>> GpsdLocator(const std::string& address);

/// Reads one line of gpsd's JSON protocol; a position when it is a TPV report with a 2D or 3D fix.
std::optional<Position> ParseGpsdLine(std::string_view line);

}  // namespace fogline
