// Which detections somebody asks for by what was found in them: a filter that no index of a store
// answers, so rows are read and looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"
#include "web/parameters.h"

namespace fogline {

struct FoundFilter {
  std::vector<std::string> labels;  // of boxes, any of; empty: of all
  size_t least = 0;                 // so many boxes at least; 0: nothing is asked
  float least_score = 0;            // boxes that are less sure do not count

  /// found* (labels), found_least, found_score.
  static Result<FoundFilter> Read(Parameters& parameters);

  bool asks() const { return least > 0; }
  bool Passes(const Detection& detection) const;
};

/// Rows that pass both filters, and how far the store was read for them.
struct FoundRows {
  std::vector<StoredDetection> rows;
  bool more = false;     // there may be more behind `read_to`
  uint64_t read_to = 0;  // id of the last row that was looked at; 0: none was
};

/// As Store::Query, with at most kMostFoundRead rows looked at.
inline constexpr size_t kMostFoundRead = 20'000;
Result<FoundRows> QueryFound(Store& store, Filter filter, const FoundFilter& found, Order order,
                             size_t limit);

}  // namespace fogline
