// Where a box lies in Redis' GEO index.
#pragma once

#include <cstdint>
#include <vector>

#include "store/filter.h"

namespace fogline {

/// GEOADD keeps a place as a 52-bit number in a sorted set: latitude (of ±85.05112878°) and
/// longitude in 26 bits each, interleaved, so that a square of the map is a range of numbers.
/// GEOSEARCH only knows boxes in metres round a centre, which neither reach the poles nor have a
/// map's corners; ranges of the same numbers do.
struct GeoRange {
  uint64_t first = 0;
  uint64_t last = 0;  // inclusive
};

/// A place as GEOADD takes it: latitudes beyond its edge count as the edge.
double GeoLatitude(double lat);
/// 180° would be one past the last of 2^26 columns.
double GeoLongitude(double lon);

/// At most a few dozen ranges that together hold every place of the box, and some more: compare the
/// exact positions too.
std::vector<GeoRange> Cover(const Box& box);

}  // namespace fogline
