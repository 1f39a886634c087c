#include "graph/downsets.h"

#include <cstdint>
#include <unordered_map>

namespace fogline {

Downsets DownsetsBetween(const Model& model, const std::vector<bool>& low,
                         const std::vector<bool>& high, size_t most) {
  const auto& nodes = model.nodes();
  const auto& activations = model.activations();
  std::vector<int> between;
  for (size_t i = 0; i < low.size(); ++i) {
    if (high[i] && !low[i]) between.push_back(static_cast<int>(i));
  }
  const auto ready = [&](const std::vector<bool>& set, int node) {
    for (const int id : nodes[node].inputs) {
      const int maker = activations[id].producer;
      if (maker >= 0 && !set[maker]) return false;
    }
    return true;
  };

  const size_t limit = most > SIZE_MAX - 2 ? SIZE_MAX : most + 2;  // besides `low` and `high`
  Downsets found;
  found.sets.push_back(low);
  found.below.emplace_back();
  // Layer by layer, so that sets of equal size meet; `next` finds those reached along two paths.
  std::unordered_map<std::vector<bool>, int> next;
  size_t layer_start = 0;
  for (size_t size = 0; size < between.size(); ++size) {
    const size_t layer_end = found.sets.size();
    next.clear();
    for (size_t i = layer_start; i < layer_end; ++i) {
      for (const int node : between) {
        if (found.sets[i][node] || !ready(found.sets[i], node)) continue;
        std::vector<bool> grown = found.sets[i];
        grown[node] = true;
        const auto [at, fresh] = next.try_emplace(grown, static_cast<int>(found.sets.size()));
        if (fresh) {
          found.sets.push_back(std::move(grown));
          found.below.emplace_back();
        }
        found.below[at->second].push_back(static_cast<int>(i));
      }
      if (found.sets.size() > limit) break;
    }
    layer_start = layer_end;
    if (found.sets.size() > limit) {
      found = {};
      found.swept = true;
      found.sets.push_back(low);
      found.below.emplace_back();
      for (const int node : between) {
        std::vector<bool> grown = found.sets.back();
        grown[node] = true;
        found.below.push_back({static_cast<int>(found.sets.size()) - 1});
        found.sets.push_back(std::move(grown));
      }
      return found;
    }
  }
  return found;
}

}  // namespace fogline
