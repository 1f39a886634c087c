// Everything that the quantising codec needs to know of one tensor, found by calibration and stored
// in the bundle.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "codec/layout.h"
#include "codec/quant_table.h"

namespace fogline {

/// The part that differs between q2 … q8.
struct QuantLevel {
  float step = 1;                  // of a coefficient whose weight is 1
  std::vector<uint8_t> table_of;   // [channel][band]: index in tables
  std::vector<QuantTable> tables;  // 1…256
};

struct QuantParams {
  uint64_t cut_id = 0;
  Port tensor;  // of a type that CanBeQuantised
  Layout layout;
  /// Mean of each channel's first `means` coefficients in coding order, [channel][means].
  int means = 0;
  std::vector<float> mean;
  /// How much finer than the step a channel and a band are quantised: the step of a coefficient is
  /// step / (channel_weight · band_weight).
  std::vector<float> channel_weight, band_weight;
  std::map<int, QuantLevel> levels;  // by q2 … q8
};

/// Fractions, and the 8-bit numbers of networks in integers.
bool CanBeQuantised(DType dtype);

/// kInvalid unless sizes fit the layout, indices their tables, and numbers are finite and positive.
Status Check(const QuantParams& params);

/// The section of one tensor in a bundle, see docs/codec.md.
void Write(const QuantParams& params, std::vector<std::byte>& out);
/// Reads it back, checked; never past `bytes`, and never more memory than a small multiple of them.
Result<QuantParams> ReadQuantParams(std::span<const std::byte> bytes);

}  // namespace fogline
