// The rows of a store as columns in memory, for as long as they are few enough.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/columns.h"
#include "store/mirror_file.h"

namespace fogline {

/// With a folder it keeps a copy there (MirrorFile), from which the next start goes on instead of
/// reading the whole store. Not thread-safe.
class Mirror {
 public:
  /// `cache`: the folder; empty: no copy is kept. `least_cached`: nor of fewer rows.
  explicit Mirror(std::filesystem::path cache = {}, size_t least_cached = 0)
      : cache_(std::move(cache)), least_cached_(least_cached) {}
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  /// What a store says of itself.
  struct Extent {
    std::string where;       // of the store, for errors
    uint64_t last = 0;       // its newest id
    uint64_t forgotten = 0;  // every row up to it is gone
    uint64_t deletions = 0;  // see Store::Deletions; asked for before any row is read
    /// The ids that were deleted after so many steps; nothing where that is not known any more.
    std::function<Result<std::optional<std::vector<uint64_t>>>(uint64_t after)> deleted;
    // Only asked where a copy is kept.
    std::function<Result<std::string>()> epoch = {};        // see Store::epoch
    std::function<Status(uint64_t id, Columns&)> row = {};  // adds that row, if it is there
  };
  /// Adds the rows after an id; kExhausted when its time is over and there are more.
  using Read = std::function<Status(uint64_t after_id, Columns& columns)>;

  /// Catches up, at least with the rows before an id. False where there are more than `most_rows`,
  /// or too many boxes or names: nothing is held then, and whoever asks reads the store.
  /// kUnavailable while a store that was opened a short time ago is still being read: what was read
  /// stays, whoever asks again reads on.
  Result<bool> Follow(const Extent& store, size_t most_rows, uint64_t before_id, const Read& read);

  /// Reads on and says how far it is: see Store::CountedId.
  Result<uint64_t> ReadOn(const Extent& store, size_t most_rows, const Read& read);
  /// How long a store reads on for that: so that a visitor waits no longer for somebody else's.
  static constexpr Nanos kStep = std::chrono::milliseconds(200);

  const Columns& columns() const { return columns_; }

  /// As of the last call of Follow or ReadOn. May be asked by any thread.
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }

 private:
  /// Opens the copy and goes on from it, if it is of this store as it is now.
  Status Recall(const Extent& store);
  /// Appends what the copy lacks, once it is worth it; or all, at the end.
  void Keep(bool end);
  /// Takes out what is gone. False where there is too much to hold.
  Result<bool> Tidy(const Extent& store, size_t most_rows);
  Status TakeOut(const Extent& store);
  /// False where there proves to be too much. An error leaves what was read.
  Result<bool> Add(const Extent& store, size_t most_rows, const Read& read);
  void Measure() { rows_ = columns_.size(), bytes_ = columns_.bytes(); }

  Columns columns_;
  uint64_t read_id_ = 0;    // up to which the columns have every row
  uint64_t deletions_ = 0;  // up to which the columns are without what was deleted
  bool too_much_ = false;
  std::filesystem::path cache_;  // until it was opened, or could not be
  size_t least_cached_;
  std::optional<MirrorFile> file_;
  std::atomic<uint64_t> rows_{0}, bytes_{0};
};

/// Whether no more rows may be added to what a question selects of a store that has no mirror.
bool TooManySelected(const Columns& columns);
/// kExhausted where there were too many: what was selected is not all of it. `where`: the store.
Status CheckSelected(const Columns& columns, const std::string& where);

}  // namespace fogline
