// Time as the daemons see it. Durations come from the steady clock; the wall clock only stamps
// captures.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace fogline {

using Nanos = std::chrono::nanoseconds;

/// Seam for time, so that back-off, deadlines and stage timing can be tested without waiting.
/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic, from an arbitrary start: only differences within one process mean anything.
  virtual Nanos Steady() const = 0;
  /// Microseconds since 1970-01-01 UTC; may jump.
  virtual int64_t WallMicros() const = 0;

  /// The real clocks of this machine.
  static const Clock& Real();
};

/// A clock that a test moves by hand.
class FakeClock final : public Clock {
 public:
  Nanos Steady() const override { return steady_; }
  int64_t WallMicros() const override { return wall_us_; }
  void Advance(Nanos by) {
    steady_ += by;
    wall_us_ += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  }
  void JumpWall(int64_t wall_us) { wall_us_ = wall_us; }

 private:
  Nanos steady_{0};
  int64_t wall_us_ = 0;
};

inline double Millis(Nanos t) { return std::chrono::duration<double, std::milli>(t).count(); }
inline float Millis(uint32_t us) { return static_cast<float>(us) / 1000.0F; }
/// At most what the field of a frame holds, some 71 minutes: a longer time is no short one.
inline uint32_t Micros(Nanos t) {
  return static_cast<uint32_t>(std::clamp<int64_t>(t.count() / 1000, 0, UINT32_MAX));
}

/// Microseconds since `start`, which moves on to now: one lap after the other.
inline uint32_t LapMicros(Nanos& start) {
  const Nanos now = Clock::Real().Steady();
  return Micros(now - std::exchange(start, now));
}

}  // namespace fogline
