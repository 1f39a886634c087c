#include "edge/locator.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/file.h"

namespace fogline {
namespace {

class Fixed final : public Locator {
 public:
  explicit Fixed(const Position& position) : position_(position) {}
  std::optional<Position> At(int64_t) override { return position_; }

 private:
  Position position_;
};

class Track final : public Locator {
 public:
  explicit Track(std::vector<TrackPoint> points) : points_(std::move(points)) {}
  std::optional<Position> At(int64_t wall_us) override { return Interpolate(points_, wall_us); }

 private:
  const std::vector<TrackPoint> points_;
};

/// Initial bearing of the great circle, degrees clockwise from north.
double Bearing(const Position& a, const Position& b) {
  constexpr double kRadians = M_PI / 180;
  const double lat1 = a.lat * kRadians, lat2 = b.lat * kRadians, dlon = (b.lon - a.lon) * kRadians;
  const double bearing = std::atan2(std::sin(dlon) * std::cos(lat2),
                                    std::cos(lat1) * std::sin(lat2) -
                                        std::sin(lat1) * std::cos(lat2) * std::cos(dlon)) /
                         kRadians;
  return bearing < 0 ? bearing + 360 : bearing;
}

/// Along the great circle of a round earth.
double DistanceM(const Position& a, const Position& b) {
  constexpr double kRadians = M_PI / 180, kEarthM = 6'371'000;
  const double dlat = std::sin((b.lat - a.lat) * kRadians / 2);
  const double dlon = std::sin((b.lon - a.lon) * kRadians / 2);
  const double h =
      dlat * dlat + std::cos(a.lat * kRadians) * std::cos(b.lat * kRadians) * dlon * dlon;
  return 2 * kEarthM * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace

std::optional<Position> Interpolate(const std::vector<TrackPoint>& track, int64_t time_us) {
  const auto after = std::lower_bound(track.begin(), track.end(), time_us,
                                      [](const TrackPoint& p, int64_t t) { return p.time_us < t; });
  if (after == track.end()) return std::nullopt;
  if (after->time_us == time_us) return after->position;
  if (after == track.begin()) return std::nullopt;
  const TrackPoint& a = *(after - 1);
  const TrackPoint& b = *after;
  constexpr int64_t kSteadyUs = 60'000'000;
  constexpr double kPauseM = 500, kReceiverM = 10;
  const bool unbroken = a.segment == b.segment;
  const bool steady = unbroken && b.time_us - a.time_us <= kSteadyUs;
  const double apart = steady ? 0 : DistanceM(a.position, b.position);
  if (apart > kPauseM) return std::nullopt;
  double t = static_cast<double>(time_us - a.time_us) / static_cast<double>(b.time_us - a.time_us);
  if (!unbroken) t = std::round(t);  // whichever fix is nearer in time
  Position position = a.position;
  // The short way round: a track may cross the 180th meridian.
  const double dlon = std::remainder(b.position.lon - a.position.lon, 360);
  position.lat += t * (b.position.lat - a.position.lat);
  position.lon = std::remainder(a.position.lon + t * dlon, 360);
  if (steady) {
    position.heading_deg = static_cast<float>(Bearing(a.position, b.position));
  } else {
    position.accuracy_m = static_cast<float>(std::max(apart, kReceiverM));
    position.heading_deg = std::numeric_limits<float>::quiet_NaN();
  }
  return position;
}

Result<std::unique_ptr<Locator>> FixedLocator(const std::string& lat_lon) {
  Position position;
  const char* end = lat_lon.data() + lat_lon.size();
  const auto lat = std::from_chars(lat_lon.data(), end, position.lat);
  const char* second = lat.ptr != end && *lat.ptr == ',' ? lat.ptr + 1 : end;
  while (second != end && *second == ' ') ++second;
  const auto lon = std::from_chars(second, end, position.lon);
  if (lat.ec != std::errc() || lon.ec != std::errc() || lon.ptr != end || !IsValid(position)) {
    return Fail(ErrorCode::kUsage, "--at " + lat_lon,
                "is no position: write degrees as in 51.068,4.500");
  }
  return std::make_unique<Fixed>(position);
}

Result<std::unique_ptr<Locator>> GpxLocator(const std::string& file) {
  FOGLINE_TRY(const std::string xml, ReadTextFile(file));
  FOGLINE_TRY(auto points, ParseGpx(xml, file));
  return std::make_unique<Track>(std::move(points));
}

}  // namespace fogline
