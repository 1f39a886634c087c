// Maximum flow on a network of integer capacities; the only header whose .cc includes Boost.Graph.
#pragma once

#include <cstdint>
#include <vector>

namespace fogline {

/// Capacity one way between two vertices.
struct FlowArc {
  uint32_t from = 0;
  uint32_t to = 0;
  int64_t capacity = 0;
};

struct FlowResult {
  int64_t flow = 0;
  std::vector<bool>
      source_side;  // the largest minimum cut: every vertex that cannot reach the sink
};

/// Maximum flow from `source` to `sink`. The capacities out of `source` must add up to less than
/// 2^62.
FlowResult MaxFlow(uint32_t vertices, const std::vector<FlowArc>& arcs, uint32_t source,
                   uint32_t sink);

}  // namespace fogline
