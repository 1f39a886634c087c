// Which boxes, shares or numbers make a picture worth reporting.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fogline {

/// A point in parts of the picture, from its upper left corner.
struct PicturePoint {
  double x = 0, y = 0;
  bool operator==(const PicturePoint&) const = default;
};

struct VerdictRules {
  bool given = false;                // by the card; else `positive` and `threshold` count alone
  std::vector<std::string> classes;  // any of; empty: all
  /// Of boxes.
  double least_score = 0;
  int least_count = 1;                // so many of them at least
  std::vector<PicturePoint> region;   // a polygon; empty: the whole picture
  double least_share = 0;             // of a mask: what the classes' shares come to at least
  std::string number;                 // of numbers: the one that is looked at
  std::optional<double> least, most;  // and the limits that it must keep

  bool operator==(const VerdictRules&) const = default;
};

/// Whether a point lies in the polygon (by the even-odd rule); in an empty one every point does.
bool LiesIn(const std::vector<PicturePoint>& polygon, PicturePoint point);

}  // namespace fogline
