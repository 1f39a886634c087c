#include "store/sqlite_store.h"

#include <mutex>

#include "store/sqlite_forgetter.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_writer.h"

namespace fogline {
namespace {

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options);

  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    return PutRows(batch, settlements, {});
  }
  Result<std::vector<PutOutcome>> Take(std::span<const Detection> batch,
                                       std::span<const int64_t> stored_us) override {
    return PutRows(batch, {}, stored_us);
  }
  Result<uint64_t> Mark(const std::string& name) override { return quick_->Mark(name); }
  Status SetMark(const std::string& name, uint64_t id) override {
    const std::lock_guard lock(write_mutex_);
    return writer_->SetMark(name, id);
  }
  Result<ForgetStep> Forget(const Retention& keep) override {
    const std::lock_guard lock(write_mutex_);
    return forgetter_->Forget(keep);
  }
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    return (filter.Selects() ? *slow_ : *quick_).Query(filter, order, limit);
  }
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override {
    return slow_->Hexagons(filter, level);
  }
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    return slow_->Timeline(filter, from_us, to_us, bins);
  }
  Result<std::vector<FoundTally>> Found(const Filter& filter) override {
    return slow_->Found(filter);
  }
  Result<Inventory> Stock() override { return quick_->Stock(); }
  Result<uint64_t> LastId() override { return quick_->LastId(); }
  Result<uint64_t> ForgottenId() override { return quick_->ForgottenId(); }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override { return quick_->Thumbnail(id); }
  const std::string& epoch() const override { return epoch_; }

 private:
  /// One connection for reading, and the mutex that guards it.
  struct Lane {
    std::mutex mutex;
    std::unique_ptr<SqliteDatabase> database;
  };
  Result<std::unique_ptr<SqliteReader>> MakeReader(const std::string& path, Lane& lane,
                                                   const StoreOptions& options);
  Result<std::vector<PutOutcome>> PutRows(std::span<const Detection> batch,
                                          std::span<const Settlement> settlements,
                                          std::span<const int64_t> stored_us) {
    const std::lock_guard lock(write_mutex_);
    auto outcomes = writer_->Put(batch, settlements, stored_us);
    if (!outcomes && outcomes.error().code == ErrorCode::kExhausted) forgetter_->Full();
    return outcomes;
  }

  std::mutex write_mutex_;
  std::unique_ptr<SqliteDatabase> write_database_;
  std::unique_ptr<SqliteWriter> writer_;
  std::unique_ptr<SqliteForgetter> forgetter_;
  // Two, so that what costs next to nothing (what is new, the newest id, a picture) never waits
  // for what reads much.
  Lane quick_lane_, slow_lane_;
  std::unique_ptr<SqliteReader> quick_, slow_;
  std::string epoch_;
};

Result<std::unique_ptr<Store>> SqliteStore::Open(const std::string& path,
                                                 const StoreOptions& options) {
  auto store = std::make_unique<SqliteStore>();
  FOGLINE_TRY(
      store->write_database_,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX));
  FOGLINE_CHECK(PrepareWriter(*store->write_database_, options));
  FOGLINE_TRY(store->writer_, SqliteWriter::Make(*store->write_database_, options));
  FOGLINE_TRY(store->forgetter_, SqliteForgetter::Make(*store->write_database_, options));
  FOGLINE_TRY(store->quick_, store->MakeReader(path, store->quick_lane_, options));
  FOGLINE_TRY(store->slow_, store->MakeReader(path, store->slow_lane_, options));
  FOGLINE_TRY(store->epoch_, store->quick_->Epoch());
  return store;
}

/// A store in memory has one connection for everything, used under one mutex.
Result<std::unique_ptr<SqliteReader>> SqliteStore::MakeReader(const std::string& path, Lane& lane,
                                                              const StoreOptions& options) {
  if (path == ":memory:") {
    return std::make_unique<SqliteReader>(*write_database_, write_mutex_, options);
  }
  FOGLINE_TRY(lane.database,
              SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FOGLINE_CHECK(
      lane.database->Execute("PRAGMA query_only = 1; PRAGMA cache_size = -32768;"
                             "PRAGMA temp_store = MEMORY;"));
  return std::make_unique<SqliteReader>(*lane.database, lane.mutex, options);
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                               const StoreOptions& options) {
  return SqliteStore::Open(path, options);
}

}  // namespace fogline
