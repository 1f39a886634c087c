#include "store/sqlite_store.h"

#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/paths.h"
#include "store/sqlite_file.h"
#include "store/sqlite_forgetter.h"
#include "store/sqlite_reader.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_writer.h"

namespace fogline {
namespace {

/// One connection for reading, and the mutex that guards it.
struct SqliteLane {
  std::mutex mutex;
  std::unique_ptr<SqliteDatabase> database;
  std::unique_ptr<SqliteReader> reader;
};

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options);
  static Result<std::unique_ptr<Store>> OpenToRead(const std::string& path,
                                                   const StoreOptions& options);

  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    return PutRows(batch, settlements, {});
  }
  Result<std::vector<PutOutcome>> Take(std::span<const Detection> batch,
                                       std::span<const int64_t> stored_us) override {
    return PutRows(batch, {}, stored_us);
  }
  Result<uint64_t> Mark(const std::string& name) override {
    return Ask(quick_, &SqliteReader::Mark, name);
  }
  Status SetMark(const std::string& name, uint64_t id) override {
    if (writer_ == nullptr) return FailReadOnly(path_);
    const std::lock_guard lock(write_mutex_);
    return writer_->SetMark(name, id);
  }
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time) override {
    if (writer_ == nullptr) return FailReadOnly(path_);
    const std::lock_guard lock(write_mutex_);
    return writer_->Hold(name, holder, time);
  }
  Result<ForgetStep> Forget(const Retention& keep) override {
    if (writer_ == nullptr) return FailReadOnly(path_);
    const std::lock_guard lock(write_mutex_);
    return forgetter_->Forget(keep);
  }
  Result<uint64_t> Delete(std::span<const uint64_t> ids) override {
    if (writer_ == nullptr) return FailReadOnly(path_);
    const std::lock_guard lock(write_mutex_);
    return forgetter_->Delete(ids);
  }
  Result<uint64_t> Deletions() override { return Ask(quick_, &SqliteReader::Deletions); }
  Result<Holdings> Heaviest(size_t most) override {
    return Ask(quick_, &SqliteReader::Heaviest, most);
  }
  Status Probe() override {
    if (writer_ == nullptr) return FailReadOnly(path_);
    FOGLINE_CHECK(CheckStillThere());
    const std::lock_guard lock(write_mutex_);
    return writer_->Probe();
  }
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override {
    return Ask(filter.Selects() ? slow_ : quick_, &SqliteReader::Query, filter, order, limit);
  }
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override {
    return Ask(slow_, &SqliteReader::Hexagons, filter, level);
  }
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    return Ask(slow_, &SqliteReader::Timeline, filter, from_us, to_us, bins);
  }
  Result<std::vector<FoundTally>> Found(const Filter& filter) override {
    return Ask(slow_, &SqliteReader::Found, filter);
  }
  Result<Inventory> Stock() override { return Ask(quick_, &SqliteReader::Stock); }
  StoreHeld Held() const override {
    StoreHeld held = quick_.reader->Held();
    held += slow_.reader->Held();
    if (writer_ != nullptr) held.name_bytes += writer_->name_bytes();
    return held;
  }
  Result<uint64_t> LastId() override { return Ask(quick_, &SqliteReader::LastId); }
  Result<uint64_t> CountedId() override { return Ask(slow_, &SqliteReader::CountedId); }
  Result<uint64_t> ForgottenId() override { return Ask(quick_, &SqliteReader::ForgottenId); }
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override {
    return Ask(quick_, &SqliteReader::Thumbnail, id);
  }
  const std::string& epoch() const override { return epoch_; }

 private:
  /// SQLite goes on writing to a file that has no name any more, which keeps nothing.
  Status CheckStillThere() const {
    const FileStamp now = StampOf(path_);
    if (now.inode == opened_.inode && now.device == opened_.device) return {};
    return Fail(ErrorCode::kConflict, path_,
                "was taken away while it was open; put it back, or restart Fogline to begin a new "
                "store");
  }
  Status MakeReader(const std::string& path, SqliteLane& lane, const StoreOptions& options);
  Result<std::vector<PutOutcome>> PutRows(std::span<const Detection> batch,
                                          std::span<const Settlement> settlements,
                                          std::span<const int64_t> stored_us) {
    if (writer_ == nullptr) return FailReadOnly(path_);
    FOGLINE_CHECK(CheckStillThere());
    const std::lock_guard lock(write_mutex_);
    auto outcomes = writer_->Put(batch, settlements, stored_us);
    if (!outcomes && outcomes.error().code == ErrorCode::kExhausted) forgetter_->Full();
    return outcomes;
  }

  template <typename Answer, typename... Parameters, typename... Arguments>
  Answer Ask(SqliteLane& lane, Answer (SqliteReader::*question)(Parameters...),
             Arguments&&... arguments) {
    if (to_read_) FOGLINE_CHECK(to_read_->Check());
    return ((*lane.reader).*question)(std::forward<Arguments>(arguments)...);
  }

  std::string path_;
  FileStamp opened_;                         // none of a store in memory, which has no file
  std::optional<SqliteFileToRead> to_read_;  // of a store that is only read, which has no writer
  std::mutex write_mutex_;
  std::unique_ptr<SqliteDatabase> write_database_;
  std::unique_ptr<SqliteWriter> writer_;
  std::unique_ptr<SqliteForgetter> forgetter_;
  // Two, so that what costs next to nothing (what is new, the newest id, a picture) never waits
  // for what reads much.
  SqliteLane quick_, slow_;
  std::string epoch_;
};

Result<std::unique_ptr<Store>> SqliteStore::Open(const std::string& path,
                                                 const StoreOptions& options) {
  auto store = std::make_unique<SqliteStore>();
  store->path_ = path;
  if (path != ":memory:" && Exists(path)) FOGLINE_CHECK(CheckRegularFile(path));
  FOGLINE_TRY(
      store->write_database_,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX));
  FOGLINE_CHECK(PrepareWriter(*store->write_database_, options));
  store->opened_ = StampOf(path);
  FOGLINE_TRY(store->writer_, SqliteWriter::Make(*store->write_database_, options));
  FOGLINE_TRY(store->forgetter_, SqliteForgetter::Make(*store->write_database_, options));
  FOGLINE_CHECK(store->MakeReader(path, store->quick_, options));
  FOGLINE_CHECK(store->MakeReader(path, store->slow_, options));
  FOGLINE_TRY(store->epoch_, store->quick_.reader->Epoch());
  return store;
}

Result<std::unique_ptr<Store>> SqliteStore::OpenToRead(const std::string& path,
                                                       const StoreOptions& options) {
  if (path == ":memory:") return FailNoStore(path);
  auto store = std::make_unique<SqliteStore>();
  store->path_ = path;
  FOGLINE_TRY(store->to_read_, SqliteFileToRead::Find(path));
  for (SqliteLane* lane : {&store->quick_, &store->slow_}) {
    FOGLINE_TRY(lane->database, store->to_read_->Connect());
    lane->reader = std::make_unique<SqliteReader>(*lane->database, lane->mutex, options);
  }
  FOGLINE_TRY(store->epoch_, store->quick_.reader->Epoch());
  return store;
}

/// A store in memory has one connection for everything, used under one mutex.
Status SqliteStore::MakeReader(const std::string& path, SqliteLane& lane,
                               const StoreOptions& options) {
  if (path == ":memory:") {
    lane.reader = std::make_unique<SqliteReader>(*write_database_, write_mutex_, options);
    return {};
  }
  FOGLINE_TRY(lane.database,
              SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FOGLINE_CHECK(PrepareReader(*lane.database));
  lane.reader = std::make_unique<SqliteReader>(*lane.database, lane.mutex, options);
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                               const StoreOptions& options) {
  return options.read_only ? SqliteStore::OpenToRead(path, options)
                           : SqliteStore::Open(path, options);
}

}  // namespace fogline
