// What the server counts about itself, for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace fogline {

/// Thread-safe.
struct WebCounters {
  using Counter = std::atomic<uint64_t>;
  std::array<Counter, 600> responses{};  // by status
  Counter connections{0};                // open now
  Counter streams{0};                    // open now
  Counter streams_opened{0};
  Counter streams_dropped{0};  // too slow to take what was written
  Counter slow_requests{0};    // cut off before their request was whole
  Counter turned_away{0};      // told to come back, since too many questions waited
  Counter event_bytes{0};
  Counter store_errors{0};
};

}  // namespace fogline
