// Random numbers that are the same on every machine, whatever its standard library.
#pragma once

#include <cstdint>

namespace fogline {

/// SplitMix64 (Steele, Lea, Flood 2014). Streams for different things come from different seeds.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  /// An independent stream for (seed, a, b): the b-th variation of the a-th picture.
  Random(uint64_t seed, uint64_t a, uint64_t b) : state_(seed) {
    state_ = Next() ^ (a * 0xD1342543DE82EF95U);
    state_ = Next() ^ (b * 0xAF251AF3B0F025B5U);
  }

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  /// Below 1.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Between(double low, double high) { return low + (high - low) * Uniform(); }
  /// Below `n`, which is at least 1 (bias below n / 2^64).
  uint64_t Below(uint64_t n) { return Next() % n; }

 private:
  uint64_t state_;
};

}  // namespace fogline
