#include "store/mirror.h"

#include <algorithm>

namespace fogline {

Status Mirror::TakeOut(const Extent& store) {
  if (store.deletions == deletions_) return {};
  if (columns_.last_id() > 0) {
    FOGLINE_TRY(const auto ids, store.deleted(deletions_));
    if (ids) {
      columns_.Erase(*ids);
    } else {
      columns_ = {};
    }
  }
  deletions_ = store.deletions;
  return {};
}

bool TooManySelected(const Columns& columns) {
  constexpr size_t kMostSelected = 4'000'000;
  return columns.overfull() || columns.size() >= kMostSelected ||
         columns.boxes() >= Columns::kMostBoxes;
}

Status CheckSelected(const Columns& columns, const std::string& where) {
  if (!TooManySelected(columns)) return {};
  return Fail(ErrorCode::kExhausted, where,
              "the query passes too many rows; narrow its box, time or filters");
}

Result<bool> Mirror::Follow(const Extent& store, size_t most_rows, const Read& read) {
  const uint64_t rows = store.last - std::min(store.last, store.forgotten);
  if (too_much_ || rows > most_rows) {
    columns_ = {};
    return false;
  }
  FOGLINE_CHECK(TakeOut(store));
  columns_.Forget(store.forgotten);
  const uint64_t after = std::max(columns_.last_id(), store.forgotten);
  if (after >= store.last) return true;
  const Status followed = read(after, columns_);
  too_much_ = columns_.boxes() > std::min(Columns::kBoxesARow * most_rows, Columns::kMostBoxes) ||
              columns_.overfull();
  if (too_much_) {
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
