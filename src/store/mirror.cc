#include "store/mirror.h"

#include <algorithm>

#include "base/log.h"

namespace fogline {

Mirror::~Mirror() { Keep(true); }

/// The newest row of the copy must still be what it was: a server that lost its last rows and gave
/// their ids to others has the same epoch. The store is asked first: its time is short.
Status Mirror::Recall(const Extent& store) {
  FOGLINE_TRY(const std::string epoch, store.epoch());
  auto file = MirrorFile::Open(cache_, epoch);
  if (!file) {
    LogWarning("{}: {}; the next start reads the whole store", file.error().where,
               file.error().message);
    cache_.clear();
    return {};
  }
  const uint64_t newest = file->NewestId();
  Columns now;
  if (newest > store.forgotten && newest <= store.last) FOGLINE_CHECK(store.row(newest, now));
  cache_.clear();
  file_.emplace(*std::move(file));

  Columns copy;
  const uint64_t deletions = file_->Load(copy);
  bool same = newest > 0 && copy.last_id() == newest && newest <= store.last &&
              deletions <= store.deletions;
  if (same && newest > store.forgotten) {  // one that was deleted since says nothing
    same = now.size() == 0 ? deletions < store.deletions : now.SameAsLastOf(copy);
  }
  if (same) {
    columns_ = std::move(copy);
    deletions_ = deletions;
  } else {
    file_->Clear();
  }
  return {};
}

void Mirror::Keep(bool end) {
  if (!file_) return;
  if (file_->rows() > columns_.size() + columns_.size() / 3 + least_cached_) file_->Clear();
  if (columns_.size() < least_cached_) return;
  const size_t lacking = columns_.After(file_->last_id());
  if (lacking == 0 || (!end && lacking < least_cached_)) return;
  while (file_->Append(columns_, deletions_) && end) {
  }
}

Status Mirror::TakeOut(const Extent& store) {
  if (store.deletions == deletions_) return {};
  if (file_) file_->Clear();  // what was deleted must not stay there
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
  if (!cache_.empty()) FOGLINE_CHECK(Recall(store));
  const uint64_t rows = store.last - std::min(store.last, store.forgotten);
  if (too_much_ || rows > most_rows) {
    columns_ = {};
    read_id_ = 0;
    if (file_) file_->Clear();
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
  Keep(false);
  FOGLINE_CHECK(added);
  return true;
}

Result<bool> Mirror::Follow(const Extent& store, size_t most_rows, uint64_t before_id,
                            const Read& read) {
  FOGLINE_TRY(const bool fits, Tidy(store, most_rows));
  Measure();
  if (!fits || read_id_ + 1 >= before_id) return fits;
  auto added = Add(store, most_rows, read);
  Measure();
  if (!added && added.error().code == ErrorCode::kExhausted) {
    return Fail(ErrorCode::kUnavailable, store.where,
                "is being read, {} of {} rows so far; ask again", columns_.size(),
                store.last - std::min(store.last, store.forgotten));
  }
  return added;
}

Result<uint64_t> Mirror::ReadOn(const Extent& store, size_t most_rows, const Read& read) {
  FOGLINE_TRY(const bool fits, Tidy(store, most_rows));
  Measure();
  if (!fits) return store.last;
  auto added = Add(store, most_rows, read);
  Measure();
  if (added) return store.last;
  if (added.error().code == ErrorCode::kExhausted) return read_id_;
  return Forward(std::move(added));
}

}  // namespace fogline
