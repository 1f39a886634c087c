#include "web/row_pages.h"

#include <algorithm>

namespace fogline {
namespace {

/// Of the first page, when nobody knows yet how long a row is.
constexpr size_t kFirstPage = 1000;
constexpr size_t kPageBytes = size_t{4} << 20;

}  // namespace

Result<RowsRead> ReadRows(Store& store, Filter filter, Order order, size_t limit,
                          const std::function<size_t(const StoredDetection&)>& put,
                          size_t most_bytes) {
  RowsRead read;
  size_t bytes = 0, page = kFirstPage;
  while (read.rows < limit) {
    const size_t asked = std::min(page, limit - read.rows);
    FOGLINE_TRY(const auto rows, store.Query(filter, order, asked));
    for (const StoredDetection& row : rows) {
      if (bytes >= most_bytes) {
        read.more = true;
        return read;
      }
      bytes = put(row);
      ++read.rows;
      read.last_id = row.id;
    }
    if (rows.size() < asked) return read;
    (order == Order::kOldestFirst ? filter.after_id : filter.before_id) = read.last_id;
    page = std::max<size_t>(1, kPageBytes / std::max<size_t>(1, bytes / read.rows));
  }
  read.more = true;
  return read;
}

}  // namespace fogline
