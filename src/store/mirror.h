// The rows of a store as columns in memory, for as long as they are few enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "store/columns.h"

namespace fogline {

/// Not thread-safe.
class Mirror {
 public:
  /// What a store says of itself.
  struct Extent {
    std::string where;       // of the store, for errors
    uint64_t last = 0;       // its newest id; ids have no holes worth mentioning
    uint64_t forgotten = 0;  // every row up to it is gone
  };
  /// Adds the rows after an id; kExhausted when its time is over and there are more.
  using Read = std::function<Status(uint64_t after_id, Columns& columns)>;

  /// Catches up. False where there are more than `most_rows`, or too many boxes for them: nothing
  /// is held then, and whoever asks reads the store. kUnavailable while a store that was opened a
  /// short time ago is still being read: what was read stays, whoever asks again reads on.
  Result<bool> Follow(const Extent& store, size_t most_rows, const Read& read);

  const Columns& columns() const { return columns_; }

 private:
  Columns columns_;
  bool too_many_boxes_ = false;
};

}  // namespace fogline
