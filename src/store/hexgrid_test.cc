#include "store/hexgrid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

namespace fogline {
namespace {

struct Point {
  double x, y;
};

Point Mercator(double lat, double lon) {
  return {lon / 360 + 0.5,
          0.5 - std::asinh(std::tan(lat * std::numbers::pi / 180)) / (2 * std::numbers::pi)};
}

/// Round the world the short way.
double Distance(Point a, Point b) {
  double dx = std::abs(a.x - b.x);
  dx = std::min(dx, 1 - dx);
  return std::hypot(dx, a.y - b.y);
}

TEST(HexGrid, PutsEveryPositionIntoTheNearestCell) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> lat(-90, 90);
  std::uniform_real_distribution<double> lon(-180, 180);
  for (const int level : {0, 1, 5, 12, 20}) {
    const HexGrid grid(level);
    for (int i = 0; i < 2000; ++i) {
      const double at_lat = lat(random);
      const double at_lon = lon(random);
      const HexCell cell = grid.At(at_lat, at_lon);
      const Point here =
          Mercator(std::clamp(at_lat, -85.05112877980659, 85.05112877980659), at_lon);
      const LonLat center = grid.Center(cell);
      const double distance = Distance(here, Mercator(center.lat, center.lon));
      // Within the circle round a hexagon, and no neighbour is nearer.
      EXPECT_LE(distance, grid.width() / std::numbers::sqrt3 * (1 + 1e-6));
      for (int row = -1; row <= 1; ++row) {
        for (int column = -1; column <= 1; ++column) {
          const LonLat other = grid.Center({cell.column + column, cell.row + row});
          EXPECT_GE(Distance(here, Mercator(other.lat, other.lon)), distance - 1e-12);
        }
      }
    }
  }
}

TEST(HexGrid, JoinsAtTheDateLineAndHoldsThePoles) {
  const HexGrid grid(3);
  EXPECT_EQ(grid.At(10, 180), grid.At(10, -180));
  EXPECT_EQ(grid.At(10, 179.999999), grid.At(10, -179.999999));
  EXPECT_EQ(grid.At(90, 0), grid.At(85.06, 0));
  EXPECT_EQ(grid.At(-90, 0), grid.At(-86, 0));
  EXPECT_TRUE(std::isfinite(grid.Center(grid.At(90, 12)).lat));
}

TEST(HexGrid, ClampsItsLevel) {
  EXPECT_EQ(HexGrid(-5).level(), 0);
  EXPECT_EQ(HexGrid(99).level(), HexGrid::kMaxLevel);
}

}  // namespace
}  // namespace fogline
