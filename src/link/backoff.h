// How long to wait before the next try to reconnect.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace fogline {

/// Exponential back-off with full jitter: the n-th wait is uniform in (0, min(most, first · 2ⁿ)],
/// so that a fleet that lost its broker does not return in one wave. (Brooker, "Exponential Backoff
/// and Jitter", 2015.)
class Backoff {
 public:
  Backoff(Nanos first, Nanos most, uint64_t seed) : first_(first), most_(most), state_(seed | 1) {}

  Nanos Next() {
    const Nanos cap = std::min(most_, first_ * (int64_t{1} << std::min(tries_, 20)));
    ++tries_;
    return Nanos(1 + static_cast<int64_t>(Random() % static_cast<uint64_t>(cap.count())));
  }
  void Reset() { tries_ = 0; }

 private:
  /// xorshift64* (Vigna 2016): ample for spreading clients in time.
  uint64_t Random() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1DULL;
  }

  Nanos first_, most_;
  uint64_t state_;
  int tries_ = 0;
};

}  // namespace fogline
