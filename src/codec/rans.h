// Range asymmetric numeral systems (Duda 2009): an entropy coder whose decoder is a table look-up,
// a multiplication and an addition a symbol. 32-bit states renormalised by 16-bit words, several
// states interleaved into one stream of words (Giesen, "Interleaved entropy coders", 2014), so that
// a processor works on several symbols at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fogline {

inline constexpr int kRansBits = 12;
inline constexpr uint32_t kRansTotal = 1U << kRansBits;  // frequencies of a table add up to this
inline constexpr uint32_t kRansLow = 1U << 16;           // states stay in [kRansLow, 2^32)

/// What the encoder needs to push one symbol: division by the frequency as a multiplication.
struct RansPush {
  uint64_t reciprocal = 0;  // ⌈2^44 / frequency⌉
  uint32_t limit = 0;       // states from here on give off a word first; 0 for a symbol of no code
  uint16_t start = 0;
  uint16_t complement = 0;  // kRansTotal − frequency
};

/// The push of a symbol that owns the slots [start, start + frequency), 1 ≤ frequency < kRansTotal.
/// The quotient is exact: a state below the limit, frequency · 2^20, times the reciprocal's excess,
/// below frequency, stays below 2^44.
inline RansPush MakePush(uint32_t start, uint32_t frequency) {
  return {((uint64_t{1} << 44) + frequency - 1) / frequency, frequency << (32 - kRansBits),
          static_cast<uint16_t>(start), static_cast<uint16_t>(kRansTotal - frequency)};
}

/// Pushes onto `state`; a word that it gives off goes to *--to.
inline void Push(const RansPush& push, uint32_t& state, uint16_t*& to) {
  uint32_t x = state;
  if (x >= push.limit) {
    *--to = static_cast<uint16_t>(x);
    x >>= 16;
  }
  const auto quotient = static_cast<uint32_t>((x * push.reciprocal) >> 44);
  state = x + push.start + quotient * push.complement;
}

/// Pushes `bits` (≤ kRansBits) equiprobable bits.
inline void PushBits(uint32_t value, int bits, uint32_t& state, uint16_t*& to) {
  uint32_t x = state;
  if (x >= (1U << (32 - bits))) {
    *--to = static_cast<uint16_t>(x);
    x >>= 16;
  }
  state = (x << bits) | value;
}

/// The slot that `state` points at: which symbol comes next.
inline uint32_t Slot(uint32_t state) { return state & (kRansTotal - 1); }

/// Takes a symbol with these slots off the state; a word must follow (see Refill).
inline uint32_t Pop(uint32_t state, uint32_t start, uint32_t frequency) {
  return frequency * (state >> kRansBits) + Slot(state) - start;
}

/// Scales counts to frequencies that add up to kRansTotal, each at least 1: the nearest in code
/// length. At most kRansTotal counts; all zero counts as all equal.
std::vector<uint16_t> NormaliseCounts(std::span<const double> counts);

}  // namespace fogline
