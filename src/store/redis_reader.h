// The reading half of a Redis store.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/columns.h"
#include "store/mirror.h"
#include "store/redis_connection.h"
#include "store/store.h"

namespace fogline {

/// Answers from the log, the GEO index, or a mirror of the log's countable fields in memory, which
/// follows the log. Not thread-safe.
class RedisReader {
 public:
  RedisReader(RedisConnection& redis, const StoreOptions& options)
      : redis_(redis), options_(options) {}

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
  StoreHeld Held() const { return {mirror_.rows(), mirror_.bytes(), 0}; }
  Result<uint64_t> Mark(const std::string& name);
  Result<std::vector<std::byte>> Thumbnail(uint64_t id);

 private:
  /// Takes a row; false ends the visit.
  using Visitor = std::function<bool(StoredDetection&&)>;

  /// Every row that passes, in order.
  Status Visit(const Filter& filter, Order order, size_t page, const Visitor& visitor);
  Status VisitLog(const Filter& filter, Order order, size_t page, const Visitor& visitor);
  Status VisitIds(std::span<const uint64_t> ids, const Filter& filter, const Visitor& visitor);
  /// Rows that may lie in the box, ascending; nothing when they are too many to be worth it.
  Result<std::optional<std::vector<uint64_t>>> InBox(const Box& box);
  Result<std::vector<StoredDetection>> ReadRows(std::span<redisReply* const> entries);
  Status AddLateTimes(std::vector<StoredDetection>& rows);
  Status CheckTime() const;

  Status LoadNewer(uint64_t after_id, Columns& columns);
  Result<Mirror::Extent> Extent();
  /// Brings the mirror up to date, as far as an id; false when the store is too large for one. When
  /// there is too much to read in the time of one call the next one goes on from there.
  Result<bool> Mirrored(uint64_t before_id);
  /// Columns that hold at least the rows which the filter lets pass, and what of it they are still
  /// to be asked by. Valid until the next call.
  struct Selection {
    const Columns* columns = nullptr;
    WordFilter words;
  };
  Result<Selection> Counted(const Filter& filter);
  /// `words`: its texts are numbered, by which filters find it again.
  void AddTo(Columns& columns, const StoredDetection& row, bool words);
  /// See Mirror::Extent.
  Result<std::optional<std::vector<uint64_t>>> DeletedAfter(uint64_t step);
  WordFilter Words(const Filter& filter) const;
  Status ReadNewest(const char* kind, std::vector<ValueTally>& tallies);
  Status ReadTallies(const char* kind, const std::vector<std::string>& texts,
                     std::vector<ValueTally>& tallies);

  RedisConnection& redis_;
  const StoreOptions options_;
  Nanos deadline_{0};
  Mirror mirror_{options_.cache, options_.least_cached};
  Columns selection_;
};

}  // namespace fogline
