// How the coder sees a tensor: channels, each divided into spatial tiles, taken kLanes channels at
// a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// Channels that are transformed and coded side by side: one SIMD vector of floats on AVX2, two on
/// SSE2 and NEON. Part of the format: it fixes the order of symbols.
inline constexpr int kLanes = 8;
/// Bands of spatial frequency that have their own step and tables; see Layout::band.
inline constexpr int kMaxBands = 9;
/// Sides of tiles go up to this.
inline constexpr int kMaxTileSide = 20;

/// A tensor [count, channels, height, width] (or with channels last) in memory, and its tiles.
struct Layout {
  int64_t count = 1;
  int channels = 1, height = 1, width = 1;
  int tile_height = 1, tile_width = 1;  // divide height and width
  bool channels_last = false;
  int64_t count_stride = 0, channel_stride = 0, row_stride = 0, column_stride = 0;  // in elements

  /// Frequencies of a tile in coding order: `order[k]` is row * tile_width + column of the k-th,
  /// low frequencies first, `band[k]` its band, which never falls with k.
  std::vector<int> order, band;
  int bands = 1;

  int tile_size() const { return tile_height * tile_width; }
  int64_t tiles() const { return count * (height / tile_height) * (width / tile_width); }
  /// Groups of kLanes channels; the last one may have fewer.
  int groups() const { return (channels + kLanes - 1) / kLanes; }
  int lanes_of(int group) const { return std::min(kLanes, channels - group * kLanes); }
  /// Element where the tile `tile` of channel 0 starts.
  int64_t TileOffset(int64_t tile) const;
  /// Symbols of a whole tensor with the idle lanes of the last group: what buffers must hold.
  int64_t padded_size() const { return tiles() * groups() * kLanes * tile_size(); }
};

/// The layout of `shape`: rank 4 is [count, channels, rows, columns], rank 3 [count, channels,
/// columns], rank 2 [count, channels], with channels moved to the end by `channels_last`; higher
/// ranks fold the middle into rows. The largest sides up to kMaxTileSide that divide the map become
/// the tile, 0 in `tile_height` or `tile_width` asks for that. kUnsupported for shapes that are
/// empty, open or past 2^28 elements; kInvalid for tiles that do not divide.
Result<Layout> MakeLayout(const Shape& shape, bool channels_last, int tile_height = 0,
                          int tile_width = 0);

}  // namespace fogline
