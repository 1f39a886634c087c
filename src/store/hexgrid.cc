#include "store/hexgrid.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fogline {

double MercatorY(double lat) {
  lat = std::clamp(lat, -kMaxMercatorLat, kMaxMercatorLat);
  const double phi = lat * std::numbers::pi / 180;
  return 0.5 - std::asinh(std::tan(phi)) / (2 * std::numbers::pi);
}

HexGrid::HexGrid(int level)
    : level_(std::clamp(level, 0, kMaxLevel)),
      columns_(16 << level_),
      width_(1.0 / columns_),
      // Rows of pointy-top hexagons lie 3/4 of their height apart: width · √3/2.
      row_height_(width_ * std::numbers::sqrt3 / 2) {}

HexCell HexGrid::At(double lat, double lon) const {
  return AtMercator(lon / 360 + 0.5, MercatorY(lat));
}

HexCell HexGrid::AtMercator(double x, double y) const {
  // The nearest centre is in one of the two rows around y.
  const double row_at = y / row_height_;
  const auto low = static_cast<int32_t>(std::floor(row_at));
  HexCell best;
  double best_distance = 1e300;
  for (int32_t row = low; row <= low + 1; ++row) {
    const double shift = (row & 1) != 0 ? 0.5 : 0.0;
    const double column = std::round(x * columns_ - shift);
    const double dx = (x * columns_ - shift - column) * width_;
    const double dy = (row_at - row) * row_height_;
    const double distance = dx * dx + dy * dy;
    if (distance < best_distance) {
      best_distance = distance;
      best = {static_cast<int32_t>(column), row};
    }
  }
  best.column = ((best.column % columns_) + columns_) % columns_;
  return best;
}

LonLat HexGrid::Center(HexCell cell) const {
  const double shift = (cell.row & 1) != 0 ? 0.5 : 0.0;
  const double x = (cell.column + shift) * width_;
  const double y = cell.row * row_height_;
  const double lat = std::atan(std::sinh(std::numbers::pi * (1 - 2 * y))) * 180 / std::numbers::pi;
  return {x * 360 - 180, lat};
}

}  // namespace fogline
