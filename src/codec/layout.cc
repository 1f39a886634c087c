#include "codec/layout.h"

#include <algorithm>
#include <numeric>

namespace fogline {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 28;

int LargestTile(int side) {
  for (int tile = std::min(side, kMaxTileSide); tile > 1; --tile) {
    if (side % tile == 0) return tile;
  }
  return 1;
}

/// Bands by the sum of row and column frequency, wider as frequency rises: what lies far out is
/// nearly always zero and needs fewer distinctions.
int BandOf(int row, int column) {
  const int radius = row + column;
  if (radius < 4) return radius;
  if (radius < 6) return 4;
  if (radius < 8) return 5;
  if (radius < 12) return 6;
  if (radius < 18) return 7;
  return 8;
}

}  // namespace

int64_t Layout::TileOffset(int64_t tile) const {
  const int64_t across = width / tile_width, down = height / tile_height;
  const int64_t column = tile % across, row = tile / across % down, image = tile / across / down;
  return image * count_stride + row * tile_height * row_stride +
         column * tile_width * column_stride;
}

Result<Layout> MakeLayout(const Shape& shape, bool channels_last, int tile_height, int tile_width) {
  const auto elements = shape.Elements();
  if (!elements || *elements == 0 || *elements > kMaxElements) {
    return Fail(ErrorCode::kUnsupported, shape.ToString(), "is no shape that can be quantised");
  }
  int64_t count = 1, channels = 1, height = 1, width = 1;
  const size_t rank = shape.rank();
  if (rank == 1) {
    channels = shape[0];
  } else if (rank == 2) {
    count = shape[0];
    channels = shape[1];
  } else if (rank >= 3) {
    count = shape[0];
    channels = channels_last ? shape[rank - 1] : shape[1];
    const size_t first = channels_last ? 1 : 2, last = channels_last ? rank - 2 : rank - 1;
    width = shape[last];
    for (size_t d = first; d < last; ++d) height *= shape[d];
  }
  Layout layout;
  layout.count = count;
  layout.channels = static_cast<int>(channels);
  layout.height = static_cast<int>(height);
  layout.width = static_cast<int>(width);
  layout.channels_last = channels_last;
  layout.count_stride = channels * height * width;
  layout.channel_stride = channels_last ? 1 : height * width;
  layout.column_stride = channels_last ? channels : 1;
  layout.row_stride = layout.column_stride * width;
  layout.tile_height = tile_height == 0 ? LargestTile(layout.height) : tile_height;
  layout.tile_width = tile_width == 0 ? LargestTile(layout.width) : tile_width;
  if (layout.tile_height < 1 || layout.tile_width < 1 || layout.tile_height > kMaxTileSide ||
      layout.tile_width > kMaxTileSide || layout.height % layout.tile_height != 0 ||
      layout.width % layout.tile_width != 0) {
    return Fail(ErrorCode::kInvalid, shape.ToString(), "has no tiles of {}x{}", layout.tile_height,
                layout.tile_width);
  }

  layout.order.resize(static_cast<size_t>(layout.tile_size()));
  std::iota(layout.order.begin(), layout.order.end(), 0);
  const auto radius = [&](int at) { return at / layout.tile_width + at % layout.tile_width; };
  std::stable_sort(layout.order.begin(), layout.order.end(),
                   [&](int a, int b) { return radius(a) < radius(b); });
  for (const int at : layout.order) {
    layout.band.push_back(BandOf(at / layout.tile_width, at % layout.tile_width));
  }
  layout.bands = layout.band.back() + 1;
  return layout;
}

}  // namespace fogline
