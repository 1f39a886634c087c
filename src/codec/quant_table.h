// One probability table of the quantiser's symbols, as the bundle stores it and as the coder uses
// it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "codec/rans.h"

namespace fogline {

/// Quantised values in [low, low + frequencies.size() − 2] have a symbol each; the last symbol is
/// the escape, after which any other value of ±32767 follows as 16 bits.
struct QuantTable {
  int low = 0;
  std::vector<uint16_t> frequencies;  // each ≥ 1, sum kRansTotal, 2…256 of them
  /// Where values are cut into symbols: |x| < threshold steps becomes 0, else ⌊|x| + rounding⌋.
  float threshold = 0.5F;
  float rounding = 0.5F;
  /// Where symbols ±1, ±2 and beyond are put back, in 1/128 steps away from ±1, ±2 …: the mean of
  /// what fell there at calibration. Order: +1, +2, +3 and more, −1, −2, −3 and less.
  std::array<int8_t, 6> shift{};

  int high() const { return low + static_cast<int>(frequencies.size()) - 2; }
  /// The reconstructed value of q, in steps.
  float ValueOf(int q) const;
  /// Bits that q costs.
  double BitsOf(int q) const;
};

/// kInvalid unless the members keep their promises.
Status Check(const QuantTable& table);

/// The table unrolled for speed.
struct PushTable {
  std::array<RansPush, 256> of;  // by q + 128; limit 0 where the value takes an escape
  RansPush escape;
};
struct PopTable {
  struct Symbol {
    uint16_t start, frequency;
    float value;
  };
  std::array<Symbol, 256> symbols;
  std::array<uint8_t, kRansTotal> at;  // symbol of each slot
  uint8_t escape = 0;                  // which symbol is the escape
  std::array<float, 6> shift;          // of the table, in steps
};
void Unroll(const QuantTable& table, PushTable& push);
void Unroll(const QuantTable& table, PopTable& pop);

/// As QuantTable::ValueOf.
inline float QuantValue(int q, const std::array<float, 6>& shift) {
  if (q == 0) return 0.0F;
  const int size = q < 0 ? -q : q;
  const float moved = static_cast<float>(size) + shift[(q < 0 ? 3 : 0) + (size < 3 ? size : 3) - 1];
  return q < 0 ? -moved : moved;
}

}  // namespace fogline
