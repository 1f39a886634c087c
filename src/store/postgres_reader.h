// The reading half of a PostgreSQL store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/columns.h"
#include "store/mirror.h"
#include "store/postgres_connection.h"
#include "store/postgres_words.h"
#include "store/store.h"

namespace fogline {

/// Answers from the tables, counts from a mirror of their countable fields in memory, which says
/// which rows pass once it is there. Not thread-safe.
class PostgresReader {
 public:
  PostgresReader(PostgresConnection& postgres, const StoreOptions& options)
      : postgres_(postgres), options_(options), words_(postgres) {}

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
  Result<uint64_t> Mark(const std::string& name);
  Result<std::vector<std::byte>> Thumbnail(uint64_t id);

 private:
  using StoredRows = std::vector<StoredDetection>;

  Result<StoredRows> QueryTables(const Filter& filter, Order order, size_t limit);
  Result<std::optional<StoredRows>> QueryMirror(const Filter& filter, Order order, size_t limit);
  Result<StoredRows> QueryBox(const Filter& filter, Order order, size_t limit);
  Result<Mirror::Extent> Extent();
  /// Brings the mirror up to date, as far as an id; false when the store is too large for one.
  Result<bool> Mirrored(uint64_t before_id);
  /// See Mirror::Extent.
  Result<std::optional<std::vector<uint64_t>>> DeletedAfter(uint64_t step);
  /// The mirror; null where the store is too large for one.
  Result<const Columns*> Counted(const Filter& filter);
  /// Adds the rows that pass, page by page. What was added before an error stays.
  Status Load(Filter filter, Columns& columns);
  Result<size_t> LoadPage(const Filter& filter, Columns& columns);
  Result<WordFilter> Words(const Filter& filter);
  Status ReadTallies(int kind, std::vector<ValueTally>& tallies);

  PostgresConnection& postgres_;
  const StoreOptions options_;
  PostgresWords words_;
  Nanos deadline_{0};
  Mirror mirror_{options_.cache, options_.least_cached};
  bool knows_deletion_ = false;  // a store that is only read may still be of a version that did not
};

}  // namespace fogline
