// What the server counts about itself, for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace fogline {

/// Thread-safe.
struct WebCounters {
  using Counter = std::atomic<uint64_t>;
  /// What there is only so much of, for everybody and for one client.
  enum class Limited { kConnections, kStreams, kQuestions, kBytes };
  static constexpr size_t kLimits = 4;
  static constexpr std::array<const char*, kLimits> kLimitNames{"connections", "streams",
                                                                "questions", "bytes"};
  std::array<Counter, 600> responses{};    // by status
  std::array<Counter, kLimits> held{};     // taken now, by Limited
  std::array<Counter, kLimits> limited{};  // times that somebody was turned away, by Limited
  Counter streams_opened{0};
  Counter streams_dropped{0};  // too slow to take what was written
  Counter slow_requests{0};    // cut off before their request was whole
  Counter turned_away{0};      // told to come back
  Counter event_bytes{0};
  Counter store_errors{0};

  uint64_t Held(Limited kind) const { return held[static_cast<size_t>(kind)]; }
};

}  // namespace fogline
