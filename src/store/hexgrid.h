// Hexagons over the Web Mercator square, coarser or finer by a level that follows the map's zoom.
#pragma once

#include <cstdint>
#include <functional>

namespace fogline {

/// A cell by row and column: odd rows lie half a hexagon further east. Columns wrap at the 180th
/// meridian, so that no hexagon is cut there.
struct HexCell {
  int32_t column = 0;
  int32_t row = 0;
  bool operator==(const HexCell&) const = default;
};

struct LonLat {
  double lon = 0;
  double lat = 0;
};

inline constexpr double kMaxMercatorLat = 85.05112877980659;
/// 0 at Mercator's northern edge (+85.05°), 1 at its southern; latitudes beyond count as the edge.
double MercatorY(double lat);

/// Pointy-top hexagons, 16·2^level of them round the equator: 32 pixels wide on a map of 512-pixel
/// tiles at zoom = level.
class HexGrid {
 public:
  static constexpr int kMaxLevel = 20;  // 2.4 m wide at the equator

  /// `level` is clamped to 0..kMaxLevel.
  explicit HexGrid(int level);

  /// The cell of a position. Latitudes beyond Mercator's ±85.05° count as that edge.
  HexCell At(double lat, double lon) const;
  /// The cell of a point of the Mercator square, both in 0..1 from the north-west.
  HexCell AtMercator(double x, double y) const;
  LonLat Center(HexCell cell) const;

  int level() const { return level_; }
  /// How many hexagons lie round the equator.
  int32_t columns() const { return columns_; }
  /// Width of a hexagon and distance of two rows, as shares of the world's width.
  double width() const { return width_; }
  double row_height() const { return row_height_; }

 private:
  int level_;
  int32_t columns_;
  double width_;
  double row_height_;
};

}  // namespace fogline

template <>
struct std::hash<fogline::HexCell> {
  size_t operator()(const fogline::HexCell& cell) const noexcept {
    uint64_t mixed = (static_cast<uint64_t>(static_cast<uint32_t>(cell.row)) << 32) |
                     static_cast<uint32_t>(cell.column);
    mixed *= 0x9e3779b97f4a7c15u;
    return mixed ^ (mixed >> 29);
  }
};
