// The reading half of a SQLite store: one connection, with what it remembers.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/columns.h"
#include "store/mirror.h"
#include "store/sqlite_filter.h"
#include "store/sqlite_handle.h"
#include "store/sqlite_words.h"
#include "store/sqlite_writer.h"
#include "store/store.h"

namespace fogline {

/// Thread-safe: one question at a time, each for at most `StoreOptions::longest_read`.
class SqliteReader {
 public:
  /// The database and the mutex that guards it must outlive the reader: a store in memory has one
  /// connection for everything.
  SqliteReader(SqliteDatabase& database, std::mutex& mutex, const StoreOptions& options)
      : database_(database), mutex_(mutex), options_(options), words_(database) {}

  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order, size_t limit);
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level);
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us, size_t bins);
  Result<std::vector<FoundTally>> Found(const Filter& filter);
  Result<Inventory> Stock();
  Result<uint64_t> LastId();
  Result<uint64_t> CountedId();
  Result<uint64_t> ForgottenId();
  Result<uint64_t> Deletions();
  Result<Holdings> Heaviest(size_t most);
  /// See Store::Held. Waits for no other question.
  StoreHeld Held() const { return {mirror_.rows(), mirror_.bytes(), words_.bytes()}; }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id);
  Result<std::string> Epoch();
  /// See Store::Mark.
  Result<uint64_t> Mark(const std::string& name);

 private:
  /// Holds the connection, and its time limit, for one call.
  class Reading;

  Result<std::string> Drawn();  // the epoch
  Result<uint64_t> Newest();
  Result<uint64_t> Forgotten();
  Result<uint64_t> Deleted();
  /// See Mirror::Extent.
  Result<std::optional<std::vector<uint64_t>>> DeletedAfter(uint64_t step);
  Result<StoredDetection> ReadRow(SqliteStatement& row);
  Result<std::string> Word(int64_t number);
  Result<WordFilter> Words(const Filter& filter);
  /// Adds the rows that pass. What was added before an error stays.
  Status Load(const SqliteWhere& where, Columns& columns);
  Status LoadNewer(uint64_t after_id, Columns& columns);
  Result<Mirror::Extent> Extent();
  /// Brings the mirror up to date, as far as an id; false when the store is too large for one. When
  /// there is too much to read in the time of one call the next one goes on from there.
  Result<bool> Mirrored(uint64_t before_id);
  /// Columns that hold at least the rows which the filter lets pass: the mirror, or what a store
  /// too large for it has of them. Valid until the next call.
  Result<const Columns*> Counted(const Filter& filter);
  Result<std::vector<StoredDetection>> Rows(const std::vector<uint64_t>& ids);
  Status ReadTallies(TallyKind kind, std::vector<ValueTally>& tallies);

  SqliteDatabase& database_;
  std::mutex& mutex_;
  const StoreOptions options_;
  SqliteWords words_;
  Mirror mirror_{options_.cache, options_.least_cached};
  Columns selection_;
};

}  // namespace fogline
