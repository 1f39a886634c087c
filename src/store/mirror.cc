#include "store/mirror.h"

#include <algorithm>

namespace fogline {

Result<bool> Mirror::Follow(const Extent& store, size_t most_rows, const Read& read) {
  const uint64_t rows = store.last - std::min(store.last, store.forgotten);
  if (too_many_boxes_ || rows > most_rows) {
    columns_ = {};
    return false;
  }
  columns_.Forget(store.forgotten);
  const uint64_t after = std::max(columns_.last_id(), store.forgotten);
  if (after >= store.last) return true;
  const Status followed = read(after, columns_);
  too_many_boxes_ =
      columns_.boxes() > std::min(Columns::kBoxesARow * most_rows, Columns::kMostBoxes);
  if (too_many_boxes_) {
    columns_ = {};
    return false;
  }
  if (!followed && followed.error().code == ErrorCode::kExhausted) {
    return Fail(ErrorCode::kUnavailable, store.where,
                "is being read, {} of {} rows so far; ask again", columns_.size(), rows);
  }
  FOGLINE_CHECK(followed);
  return true;
}

}  // namespace fogline
