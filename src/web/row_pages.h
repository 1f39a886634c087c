// Rows of an answer, read from the store page by page: never more of them in memory than what a
// page of text is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "store/store.h"

namespace fogline {

/// How far an answer came.
struct RowsRead {
  size_t rows = 0;
  /// It ended before the rows did: at `limit`, or at the most bytes of an answer. Who asks on from
  /// `last_id` gets the rest.
  bool more = false;
  uint64_t last_id = 0;  // of the last row; 0 without one
};

/// An answer has no more rows once its text is as long as this.
inline constexpr size_t kMostRowBytes = size_t{16} << 20;

/// Hands the rows that pass to `put`, which says how long the text of all of them is by now.
Result<RowsRead> ReadRows(Store& store, Filter filter, Order order, size_t limit,
                          const std::function<size_t(const StoredDetection&)>& put,
                          size_t most_bytes = kMostRowBytes);

}  // namespace fogline
