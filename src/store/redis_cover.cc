#include "store/redis_cover.h"

#include <algorithm>

namespace fogline {
namespace {

constexpr int kBits = 26;
constexpr double kMostLat = 85.05112878;
constexpr uint32_t kMostCells = 6;  // across the box, each way

double Fraction(double value, double most) { return (value + most) / (2 * most); }

uint32_t Cell(double fraction, int bits) {
  const double cells = static_cast<double>(uint32_t{1} << bits);
  return static_cast<uint32_t>(std::clamp(fraction * cells, 0.0, cells - 1));
}

uint64_t Spread(uint64_t x) {
  x = (x | (x << 16)) & 0x0000ffff0000ffffULL;
  x = (x | (x << 8)) & 0x00ff00ff00ff00ffULL;
  x = (x | (x << 4)) & 0x0f0f0f0f0f0f0f0fULL;
  x = (x | (x << 2)) & 0x3333333333333333ULL;
  return (x | (x << 1)) & 0x5555555555555555ULL;
}

/// A box that does not cross the 180th meridian, in the finest cells that are few enough.
void CoverPart(const Box& box, std::vector<GeoRange>& ranges) {
  const double west = Fraction(box.west, 180), east = Fraction(box.east, 180);
  const double south = Fraction(GeoLatitude(box.south), kMostLat);
  const double north = Fraction(GeoLatitude(box.north), kMostLat);
  for (int bits = kBits; bits >= 0; --bits) {
    const uint32_t x0 = Cell(west, bits), x1 = Cell(east, bits);
    const uint32_t y0 = Cell(south, bits), y1 = Cell(north, bits);
    if (x1 - x0 >= kMostCells || y1 - y0 >= kMostCells) continue;
    const int below = 2 * (kBits - bits);
    for (uint32_t y = y0; y <= y1; ++y) {
      for (uint32_t x = x0; x <= x1; ++x) {
        const uint64_t code = Spread(y) | (Spread(x) << 1);
        ranges.push_back({code << below, ((code + 1) << below) - 1});
      }
    }
    return;
  }
}

}  // namespace

double GeoLatitude(double lat) { return std::clamp(lat, -85.0511, 85.0511); }
double GeoLongitude(double lon) { return std::min(lon, 179.999999); }

std::vector<GeoRange> Cover(const Box& box) {
  std::vector<GeoRange> ranges;
  if (box.west <= box.east) {
    CoverPart(box, ranges);
  } else {
    CoverPart({box.west, box.south, 180, box.north}, ranges);
    CoverPart({-180, box.south, box.east, box.north}, ranges);
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const GeoRange& a, const GeoRange& b) { return a.first < b.first; });
  std::vector<GeoRange> merged;
  for (const GeoRange& range : ranges) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace fogline
