// What the server counts about itself, for /metrics.
#pragma once

#include <cstdint>
#include <map>

namespace fogline {

/// Used on the server's thread only.
struct WebCounters {
  std::map<int, uint64_t> responses;  // by status
  uint64_t connections = 0;           // open now
  uint64_t streams = 0;               // open now
  uint64_t streams_opened = 0;
  uint64_t streams_dropped = 0;  // too slow to take what was written
  uint64_t slow_requests = 0;    // cut off before their request was whole
  uint64_t event_bytes = 0;
  uint64_t store_errors = 0;
};

}  // namespace fogline
