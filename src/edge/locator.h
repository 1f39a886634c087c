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

/// One fix of a recorded track. Recording went on without a break within a segment.
struct TrackPoint {
  int64_t time_us = 0;
  Position position;
  uint32_t segment = 0;
};

/// Reads the track points of a GPX file that have a time and a place, in the order of time; of a
/// file without a track its waypoints, each by itself. Points that cannot be read and what is
/// missing from a file that was cut off are said in the log. kInvalid when nothing is left.
Result<std::vector<TrackPoint>> ParseGpx(std::string_view xml, const std::string& where);

/// Where somebody was between two fixes. Up to a minute apart within a segment: on the straight
/// line between them, heading along it. Further apart, or of two segments, nobody knows the way:
/// while the two are within 500 m of each other, a place whose accuracy is that distance (10 m at
/// least) and no heading; otherwise, and before the first fix and after the last, nothing.
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
