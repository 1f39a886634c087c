// Which detections somebody asks for. An empty filter means everything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "frame/capture_time.h"
#include "store/found_filter.h"

namespace fogline {

/// Degrees, edges included. west > east: the box crosses the 180th meridian.
struct Box {
  double west = -180;
  double south = -90;
  double east = 180;
  double north = 90;

  bool Contains(double lat, double lon) const {
    if (lat < south || lat > north) return false;
    return west <= east ? lon >= west && lon <= east : lon >= west || lon <= east;
  }
};

struct Filter {
  std::optional<Box> box = std::nullopt;  // given: rows without a position do not pass
  /// Hexagons are of positions rounded to so many decimals of a degree. (A box compares positions
  /// as they are: who rounds gives one whose edges lie between rounded positions.)
  std::optional<int> decimals = std::nullopt;
  int64_t from_us = std::numeric_limits<int64_t>::min();  // captured at or after
  int64_t to_us = std::numeric_limits<int64_t>::max();    // captured before
  float min_score = 0;
  float max_score = 1;
  bool positive_only = false;
  // Any of; empty: all.
  std::vector<std::string> labels = {};
  std::vector<std::string> devices = {};
  std::vector<std::string> mechanisms = {};
  FoundFilter found = {};
  // Exclusive bounds on the id.
  uint64_t after_id = 0;
  uint64_t before_id = std::numeric_limits<uint64_t>::max();

  /// Whether the time of capture decides; then a row whose time nobody knows does not pass.
  bool ByTime() const {
    return from_us != std::numeric_limits<int64_t>::min() ||
           to_us != std::numeric_limits<int64_t>::max();
  }
  /// Its times within those that can be: rows with others are rows of unknown time.
  int64_t first_us() const { return std::max(from_us, kYear2000Us); }
  int64_t end_us() const { return std::min(to_us, kYear2100Us); }
  /// Whether more than the id decides.
  bool Selects() const {
    return box || ByTime() || min_score > 0 || max_score < 1 || positive_only || !labels.empty() ||
           !devices.empty() || !mechanisms.empty() || found.asks();
  }
};

enum class Order { kOldestFirst, kNewestFirst };

}  // namespace fogline
