#include "plan/max_flow.h"

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <boost/property_map/property_map.hpp>
#include <utility>

namespace fogline {
namespace {

using Graph =
    boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                       boost::no_property, uint32_t, uint32_t>;
using Edge = boost::graph_traits<Graph>::edge_descriptor;

/// Every arc and its reverse, sorted by tail as the compressed graph wants them. A reverse has no
/// capacity of its own: what the library could not send on goes back along such arcs alone.
struct FlowNetwork {
  std::vector<std::pair<uint32_t, uint32_t>> ends;
  std::vector<int64_t> capacity;
  std::vector<uint32_t> reverse;
  std::vector<uint32_t> first;  // of each tail

  FlowNetwork(uint32_t vertices, const std::vector<FlowArc>& arcs)
      : ends(2 * arcs.size()), capacity(ends.size()), reverse(ends.size()), first(vertices + 1, 0) {
    for (const FlowArc& arc : arcs) {
      ++first[arc.from + 1];
      ++first[arc.to + 1];
    }
    for (uint32_t v = 0; v < vertices; ++v) first[v + 1] += first[v];
    std::vector<uint32_t> next = first;
    for (const FlowArc& arc : arcs) {
      const uint32_t a = next[arc.from]++;
      const uint32_t b = next[arc.to]++;
      ends[a] = {arc.from, arc.to};
      ends[b] = {arc.to, arc.from};
      capacity[a] = arc.capacity;
      reverse[a] = b;
      reverse[b] = a;
    }
  }
};

}  // namespace

FlowResult MaxFlow(uint32_t vertices, const std::vector<FlowArc>& arcs, uint32_t source,
                   uint32_t sink) {
  const FlowNetwork net(vertices, arcs);
  const Graph graph(boost::edges_are_sorted, net.ends.begin(), net.ends.end(), vertices);
  std::vector<Edge> descriptor(net.ends.size());
  const auto index = get(boost::edge_index, graph);
  for (auto [it, end] = edges(graph); it != end; ++it) descriptor[get(index, *it)] = *it;
  std::vector<Edge> reverse(net.ends.size());
  for (size_t e = 0; e < reverse.size(); ++e) reverse[e] = descriptor[net.reverse[e]];
  std::vector<int64_t> capacity = net.capacity;
  std::vector<int64_t> residual(net.ends.size());

  // Push-relabel rather than Boykov–Kolmogorov: the two are equal on random prices, but where the
  // cloud is faster at every layer all flow runs down the whole chain, and augmenting along paths
  // is quadratic (bench/plan_bench.cc).
  FlowResult result;
  result.flow = boost::push_relabel_max_flow(
      graph, source, sink, boost::make_iterator_property_map(capacity.begin(), index),
      boost::make_iterator_property_map(residual.begin(), index),
      boost::make_iterator_property_map(reverse.begin(), index), get(boost::vertex_index, graph));

  // Walk back from the sink along arcs with room left; whatever is not met stays with the source.
  result.source_side.assign(vertices, true);
  result.source_side[sink] = false;
  std::vector<uint32_t> stack{sink};
  while (!stack.empty()) {
    const uint32_t v = stack.back();
    stack.pop_back();
    for (uint32_t e = net.first[v]; e < net.first[v + 1]; ++e) {
      const uint32_t u = net.ends[e].second;
      if (result.source_side[u] && residual[net.reverse[e]] > 0) {
        result.source_side[u] = false;
        stack.push_back(u);
      }
    }
  }
  return result;
}

}  // namespace fogline
