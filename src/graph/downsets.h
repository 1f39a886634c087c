// The lattice of divisions between two nested ones.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/model.h"

namespace fogline {

/// Downward closed node sets from `low` to `high` (which contains it), smallest first: sets[0] is
/// `low`, the last is `high`.
struct Downsets {
  std::vector<std::vector<bool>> sets;
  std::vector<std::vector<int>> below;  // by set: those that lack exactly one of its nodes
  bool swept = false;  // there are more than `most`: only the prefixes of nodes() are here
};

Downsets DownsetsBetween(const Model& model, const std::vector<bool>& low,
                         const std::vector<bool>& high, size_t most);

}  // namespace fogline
