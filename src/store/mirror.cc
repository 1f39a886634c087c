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
      read_id_ = 0;
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

Result<bool> Mirror::Tidy(const Extent& store, size_t most_rows) {
  const uint64_t rows = store.last - std::min(store.last, store.forgotten);
  if (too_much_ || rows > most_rows) {
    columns_ = {};
    read_id_ = 0;
    return false;
  }
  FOGLINE_CHECK(TakeOut(store));
  columns_.Forget(store.forgotten);
  read_id_ = std::max({read_id_, columns_.last_id(), store.forgotten});
  return true;
}

Result<bool> Mirror::Add(const Extent& store, size_t most_rows, const Read& read) {
  if (read_id_ >= store.last) return true;
  const Status added = read(read_id_, columns_);
  read_id_ = added ? store.last : std::max(read_id_, columns_.last_id());
  too_much_ = columns_.boxes() > std::min(Columns::kBoxesARow * most_rows, Columns::kMostBoxes) ||
              columns_.overfull();
  if (too_much_) {
    columns_ = {};
    return false;
  }
  FOGLINE_CHECK(added);
  return true;
}

Result<bool> Mirror::Follow(const Extent& store, size_t most_rows, uint64_t before_id,
                            const Read& read) {
  FOGLINE_TRY(const bool fits, Tidy(store, most_rows));
  if (!fits || read_id_ + 1 >= before_id) return fits;
  auto added = Add(store, most_rows, read);
  if (!added && added.error().code == ErrorCode::kExhausted) {
    return Fail(ErrorCode::kUnavailable, store.where,
                "is being read, {} of {} rows so far; ask again", columns_.size(),
                store.last - std::min(store.last, store.forgotten));
  }
  return added;
}

Result<uint64_t> Mirror::ReadOn(const Extent& store, size_t most_rows, const Read& read) {
  FOGLINE_TRY(const bool fits, Tidy(store, most_rows));
  if (!fits) return store.last;
  auto added = Add(store, most_rows, read);
  if (added) return store.last;
  if (added.error().code == ErrorCode::kExhausted) return read_id_;
  return Forward(std::move(added));
}

}  // namespace fogline
