// Deletes what an operator no longer wants kept, whatever the store stands on, while it is worked
// with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace fogline {

/// What passes a filter, or what of it has gone so far.
struct DeleteReport {
  uint64_t rows = 0;
  uint64_t pictures = 0;
  uint64_t first_id = 0, last_id = 0;       // 0: none
  bool timed = false;                       // whether any of them says when it was captured
  int64_t first_us = 0, last_us = 0;        // captured
  std::map<std::string, uint64_t> devices;  // rows of each

  void Add(const StoredDetection& row);
};

/// Hears how far it is, page by page; false stops it.
using DeleteProgress = std::function<bool(const DeleteReport&)>;

/// What DeleteRows would delete now. Reads every row that passes.
Result<DeleteReport> CountRows(Store& store, const Filter& filter, const DeleteProgress& progress);

/// Deletes the rows that pass and are there when it begins, the oldest first, in small steps
/// between which others have the store. What went before an error or a stop stays gone; the same
/// call goes on. kCancelled when `progress` stopped it.
Result<DeleteReport> DeleteRows(Store& store, const Filter& filter, const DeleteProgress& progress);

}  // namespace fogline
