#include "codec/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

namespace fogline {
namespace {

/// kLanes floats as the compiler's own vector: one register on AVX2, two on SSE2 and NEON.
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;

/// kMany outputs of a transform at once: out[f] = Σ_i basis[f][i] in[i] for as many rows of the
/// basis, eight lanes each. Several sums side by side keep the processor's adders busy.
template <int kMany>
[[gnu::always_inline]] inline void TransformSome(const float* basis, int size, const float* in,
                                                 int in_stride, float* out, int out_stride) {
  Lanes sum[kMany] = {};
  for (int i = 0; i < size; ++i) {
    Lanes from;
    std::memcpy(&from, in + i * in_stride, sizeof(from));
#pragma GCC unroll 8
    for (int f = 0; f < kMany; ++f) sum[f] += basis[f * size + i] * from;
  }
#pragma GCC unroll 8
  for (int f = 0; f < kMany; ++f) std::memcpy(out + f * out_stride, &sum[f], sizeof(Lanes));
}

/// Transforms `count` vectors of `size` elements that lie `element` floats apart, the vectors
/// themselves `vector` floats apart: rows and columns differ in these two only.
FOGLINE_CLONES void Transform(const float* basis, int size, int count, int vector, int element,
                              const float* in, float* out) {
  for (int v = 0; v < count; ++v, in += vector, out += vector) {
    int f = 0;
    for (; f + 5 <= size; f += 5) {
      TransformSome<5>(basis + f * size, size, in, element, out + f * element, element);
    }
    for (; f + 2 <= size; f += 2) {
      TransformSome<2>(basis + f * size, size, in, element, out + f * element, element);
    }
    for (; f < size; ++f) {
      TransformSome<1>(basis + f * size, size, in, element, out + f * element, element);
    }
  }
}

/// True when every value is finite: exponents below all ones.
FOGLINE_CLONES bool AllFinite(const float* values, int count) {
  uint32_t worst = 0;
  for (int i = 0; i < count; ++i) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(values[i]) & 0x7FFFFFFFU;
    worst = worst > magnitude ? worst : magnitude;
  }
  return worst < 0x7F800000U;
}

std::vector<float> Transposed(const std::vector<float>& square) {
  const auto size = static_cast<size_t>(std::lround(std::sqrt(square.size())));
  std::vector<float> out(square.size());
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j < size; ++j) out[j * size + i] = square[i * size + j];
  }
  return out;
}

}  // namespace

std::vector<float> DctBasis(int size) {
  std::vector<float> basis(static_cast<size_t>(size) * size);
  for (int f = 0; f < size; ++f) {
    for (int i = 0; i < size; ++i) {
      const double angle = std::numbers::pi * (2 * i + 1) * f / (2.0 * size);
      const double scale = std::sqrt((f == 0 ? 1.0 : 2.0) / size);
      basis[static_cast<size_t>(f) * size + i] = static_cast<float>(scale * std::cos(angle));
    }
  }
  return basis;
}

TileTransform::TileTransform(const Layout& layout)
    : layout_(layout),
      rows_(DctBasis(layout.tile_width)),
      columns_(DctBasis(layout.tile_height)),
      rows_transposed_(Transposed(rows_)),
      columns_transposed_(Transposed(columns_)),
      tile_(static_cast<size_t>(layout.tile_size()) * kLanes),
      half_(tile_.size()) {}

bool TileTransform::Forward(const float* tensor, int64_t tile, int group, float* coefficients) {
  const int lanes = layout_.lanes_of(group), size = layout_.tile_size();
  const float* start = tensor + layout_.TileOffset(tile) +
                       static_cast<int64_t>(group) * kLanes * layout_.channel_stride;
  float* to = tile_.data();
  if (lanes < kLanes) std::ranges::fill(tile_, 0.0F);
  for (int y = 0; y < layout_.tile_height; ++y) {
    const float* from = start + y * layout_.row_stride;
    for (int x = 0; x < layout_.tile_width; ++x, from += layout_.column_stride, to += kLanes) {
      for (int lane = 0; lane < lanes; ++lane) to[lane] = from[lane * layout_.channel_stride];
    }
  }
  if (!AllFinite(tile_.data(), size * kLanes)) return false;
  const float* frequencies = tile_.data();
  if (size > 1) {
    const int width = layout_.tile_width, height = layout_.tile_height;
    Transform(rows_.data(), width, height, width * kLanes, kLanes, tile_.data(), half_.data());
    Transform(columns_.data(), height, width, kLanes, width * kLanes, half_.data(), tile_.data());
  }
  for (int k = 0; k < size; ++k) {
    std::memcpy(coefficients + k * kLanes, frequencies + layout_.order[k] * kLanes,
                kLanes * sizeof(float));
  }
  return true;
}

void TileTransform::Inverse(const float* coefficients, int64_t tile, int group, float* tensor) {
  const int lanes = layout_.lanes_of(group), size = layout_.tile_size();
  for (int k = 0; k < size; ++k) {
    std::memcpy(tile_.data() + layout_.order[k] * kLanes, coefficients + k * kLanes,
                kLanes * sizeof(float));
  }
  if (size > 1) {
    const int width = layout_.tile_width, height = layout_.tile_height;
    Transform(columns_transposed_.data(), height, width, kLanes, width * kLanes, tile_.data(),
              half_.data());
    Transform(rows_transposed_.data(), width, height, width * kLanes, kLanes, half_.data(),
              tile_.data());
  }
  float* start = tensor + layout_.TileOffset(tile) +
                 static_cast<int64_t>(group) * kLanes * layout_.channel_stride;
  const float* from = tile_.data();
  for (int y = 0; y < layout_.tile_height; ++y) {
    float* to = start + y * layout_.row_stride;
    for (int x = 0; x < layout_.tile_width; ++x, to += layout_.column_stride, from += kLanes) {
      for (int lane = 0; lane < lanes; ++lane) to[lane * layout_.channel_stride] = from[lane];
    }
  }
}

FOGLINE_CLONES void Quantise(const float* coefficients, const int* band, int count,
                             const GroupSteps& steps, int16_t* symbols) {
  for (int k = 0; k < count; ++k) {
    const int at = band[k] * kLanes;
    const float* inverse = steps.inverse + at;
    const float* threshold = steps.threshold + at;
    const float* rounding = steps.rounding + at;
    float centred[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      centred[lane] = coefficients[k * kLanes + lane];
    }
    if (k < steps.means) {
      for (int lane = 0; lane < kLanes; ++lane) centred[lane] -= steps.mean[k * kLanes + lane];
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      const float value = centred[lane] * inverse[lane];
      float size = std::bit_cast<float>(std::bit_cast<uint32_t>(value) & 0x7FFFFFFFU);
      size = size < 32767.0F ? size : 32767.0F;
      const float rounded = size < threshold[lane] ? 0.0F : size + rounding[lane];
      const auto whole = static_cast<int32_t>(rounded);
      symbols[k * kLanes + lane] = static_cast<int16_t>(value < 0.0F ? -whole : whole);
    }
  }
}

FOGLINE_CLONES void Dequantise(float* values, const int* band, int count, const float* step,
                               const float* mean, int means) {
  for (int k = 0; k < count; ++k) {
    float* value = values + k * kLanes;
    const float* by = step + band[k] * kLanes;
    for (int lane = 0; lane < kLanes; ++lane) value[lane] *= by[lane];
    if (k < means) {
      for (int lane = 0; lane < kLanes; ++lane) value[lane] += mean[k * kLanes + lane];
    }
  }
}

}  // namespace fogline
