#include "store/sqlite_store.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "store/columns.h"
#include "store/sqlite_filter.h"
#include "store/sqlite_schema.h"
#include "store/sqlite_words.h"
#include "store/sqlite_writer.h"

namespace fogline {
namespace {

// A reader that asks for too much is stopped rather than let hold up everybody behind it.
constexpr std::chrono::seconds kLongestRead{5};
constexpr int kMostTallies = 1000;
constexpr uint32_t kNoWord = 0;  // SQLite numbers words from 1

constexpr const char* kColumns =
    "SELECT id, device, run, sequence, captured_us, stored_us, lat, lon, accuracy_m, heading_deg,"
    " model, label, score, positive, mechanism, cut, codec, payload_bytes, thumbnail, stages"
    " FROM detection ";

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options);

  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    const std::lock_guard lock(write_mutex_);
    return writer_->Put(batch, settlements);
  }
  Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                             size_t limit) override;
  Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) override;
  Result<std::vector<TimeBin>> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                                        size_t bins) override;
  Result<Inventory> Stock() override;
  Result<uint64_t> LastId() override;
  Result<std::vector<std::byte>> Thumbnail(uint64_t id) override;
  const std::string& epoch() const override { return epoch_; }

 private:
  /// Holds the reading connection, and its time limit, for one call.
  class Reading {
   public:
    explicit Reading(SqliteStore& store) : lock_(store.read_mutex()), database_(store.reader()) {
      deadline_ = std::chrono::steady_clock::now() + kLongestRead;
      sqlite3_progress_handler(database_.handle(), 100'000, &Reading::Late, this);
    }
    ~Reading() { sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr); }

   private:
    static int Late(void* self) {
      return std::chrono::steady_clock::now() > static_cast<Reading*>(self)->deadline_ ? 1 : 0;
    }
    std::lock_guard<std::mutex> lock_;
    SqliteDatabase& database_;
    std::chrono::steady_clock::time_point deadline_;
  };

  // A store in memory has one connection, used under one mutex.
  std::mutex& read_mutex() { return read_database_ ? read_mutex_ : write_mutex_; }
  SqliteDatabase& reader() { return read_database_ ? *read_database_ : *write_database_; }
  Result<StoredDetection> ReadRow(SqliteStatement& row);
  Result<std::string> Word(int64_t number) {
    FOGLINE_TRY(const std::string* text, words_->TextOf(number));
    return *text;
  }
  Result<WordFilter> Words(const Filter& filter);
  Result<Columns> Load(const SqliteWhere& where, Columns columns);
  /// Columns that hold at least the rows which the filter lets pass: the mirror, brought up to
  /// date, or what a store too large for it has of them. Valid until the next call.
  Result<const Columns*> Mirror(const Filter& filter);
  Status ReadTallies(TallyKind kind, std::vector<ValueTally>& tallies);

  std::mutex write_mutex_;
  std::unique_ptr<SqliteDatabase> write_database_;
  std::unique_ptr<SqliteWriter> writer_;
  std::mutex read_mutex_;
  std::unique_ptr<SqliteDatabase> read_database_;  // null for a store in memory
  std::unique_ptr<SqliteWords> words_;             // of the reading connection
  std::string epoch_;
  size_t mirrored_rows_ = 0;
  Columns mirror_;
  Columns selection_;
};

Result<std::unique_ptr<Store>> SqliteStore::Open(const std::string& path,
                                                 const StoreOptions& options) {
  auto store = std::make_unique<SqliteStore>();
  const bool in_memory = path == ":memory:";
  store->mirrored_rows_ = options.mirrored_rows;
  FOGLINE_TRY(
      store->write_database_,
      SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX));
  FOGLINE_CHECK(PrepareWriter(*store->write_database_, options));
  FOGLINE_TRY(store->writer_, SqliteWriter::Make(*store->write_database_, options));
  if (!in_memory) {
    FOGLINE_TRY(store->read_database_,
                SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
    FOGLINE_CHECK(
        store->read_database_->Execute("PRAGMA query_only = 1; PRAGMA cache_size = -32768;"
                                       "PRAGMA temp_store = MEMORY;"));
  }
  store->words_ = std::make_unique<SqliteWords>(store->reader());
  FOGLINE_TRY(SqliteStatement about,
              store->reader().Prepare("SELECT value FROM about WHERE name = 'epoch'"));
  FOGLINE_TRY(const bool row, about.Step());
  if (!row) return Fail(ErrorCode::kInvalid, path, "is a store without its epoch");
  store->epoch_ = about.Text(0);
  return store;
}

Result<StoredDetection> SqliteStore::ReadRow(SqliteStatement& row) {
  const auto known = [&](int at) {
    return row.IsNull(at) ? kUnknown : static_cast<float>(row.Real(at));
  };
  StoredDetection stored;
  Detection& d = stored.detection;
  stored.id = static_cast<uint64_t>(row.Integer(0));
  FOGLINE_TRY(d.device, Word(row.Integer(1)));
  d.run = static_cast<uint64_t>(row.Integer(2));
  d.sequence = static_cast<uint64_t>(row.Integer(3));
  d.captured_us = row.Integer(4);
  stored.stored_us = row.Integer(5);
  d.has_position = !row.IsNull(6);
  d.lat = row.Real(6);
  d.lon = row.Real(7);
  d.accuracy_m = known(8);
  d.heading_deg = known(9);
  FOGLINE_TRY(d.model, Word(row.Integer(10)));
  FOGLINE_TRY(d.label, Word(row.Integer(11)));
  d.score = static_cast<float>(row.Real(12));
  d.positive = row.Integer(13) != 0;
  FOGLINE_TRY(d.mechanism, Word(row.Integer(14)));
  FOGLINE_TRY(d.cut, Word(row.Integer(15)));
  FOGLINE_TRY(d.codec, Word(row.Integer(16)));
  d.payload_bytes = static_cast<uint32_t>(row.Integer(17));
  stored.has_thumbnail = row.Integer(18) != 0;
  const auto stages = row.Blob(19);
  for (size_t i = 0; i < kStages.size() && (i + 1) * sizeof(float) <= stages.size(); ++i) {
    std::memcpy(&(d.stages.*kStages[i].time_ms), stages.data() + i * sizeof(float), sizeof(float));
  }
  return stored;
}

Result<std::vector<StoredDetection>> SqliteStore::Query(const Filter& filter, Order order,
                                                        size_t limit) {
  const Reading reading(*this);
  std::vector<StoredDetection> rows;
  FOGLINE_TRY(const SqliteWhere where, TranslateFilter(reader(), filter, false));
  if (where.never || limit == 0) return rows;
  FOGLINE_TRY(SqliteStatement select,
              reader().Prepare(fmt::format("{} {} ORDER BY id {} LIMIT {}", kColumns, where.sql,
                                           order == Order::kOldestFirst ? "ASC" : "DESC", limit)));
  where.BindTo(select);
  for (;;) {
    FOGLINE_TRY(const bool row, select.Step());
    if (!row) return rows;
    FOGLINE_TRY(StoredDetection stored, ReadRow(select));
    rows.push_back(std::move(stored));
  }
}

Result<WordFilter> SqliteStore::Words(const Filter& filter) {
  WordFilter words;
  FOGLINE_TRY(SqliteStatement find, reader().Prepare("SELECT id FROM word WHERE text = ?"));
  const auto resolve = [&](const std::vector<std::string>& texts,
                           std::unordered_set<uint32_t>& numbers) -> Status {
    for (const std::string& text : texts) {
      find.Bind(1, text);
      FOGLINE_TRY(const bool row, find.Step());
      numbers.insert(row ? static_cast<uint32_t>(find.Integer(0)) : kNoWord);
      find.Reset();
    }
    return {};
  };
  FOGLINE_CHECK(resolve(filter.labels, words.labels));
  FOGLINE_CHECK(resolve(filter.devices, words.devices));
  FOGLINE_CHECK(resolve(filter.mechanisms, words.mechanisms));
  return words;
}

Result<Columns> SqliteStore::Load(const SqliteWhere& where, Columns columns) {
  FOGLINE_TRY(SqliteStatement select,
              reader().Prepare("SELECT id, captured_us, lat, lon, score, positive, device, label,"
                               " mechanism FROM detection " +
                               where.sql + " ORDER BY id"));
  where.BindTo(select);
  for (;;) {
    FOGLINE_TRY(const bool row, select.Step());
    if (!row) return columns;
    columns.Add({.id = static_cast<uint64_t>(select.Integer(0)),
                 .captured_us = select.Integer(1),
                 .has_position = !select.IsNull(2),
                 .lat = select.Real(2),
                 .lon = select.Real(3),
                 .score = static_cast<float>(select.Real(4)),
                 .positive = select.Integer(5) != 0,
                 .device = static_cast<uint32_t>(select.Integer(6)),
                 .label = static_cast<uint32_t>(select.Integer(7)),
                 .mechanism = static_cast<uint32_t>(select.Integer(8))});
  }
}

Result<const Columns*> SqliteStore::Mirror(const Filter& filter) {
  FOGLINE_TRY(const int64_t last,
              reader().QueryInteger("SELECT coalesce(max(id), 0) FROM detection"));
  // Ids have no holes worth mentioning, so the last one says how many rows there are.
  if (static_cast<uint64_t>(last) <= mirrored_rows_) {
    if (mirror_.last_id() < static_cast<uint64_t>(last)) {
      FOGLINE_TRY(const SqliteWhere newer,
                  TranslateFilter(reader(), {.after_id = mirror_.last_id()}, false));
      auto grown = Load(newer, std::move(mirror_));
      mirror_ = grown ? *std::move(grown) : Columns();
      if (!grown) return Forward(std::move(grown));
    }
    return &mirror_;
  }
  mirror_ = {};
  FOGLINE_TRY(const SqliteWhere where, TranslateFilter(reader(), filter, false));
  selection_ = {};
  if (where.never) return &selection_;
  FOGLINE_TRY(selection_, Load(where, {}));
  return &selection_;
}

Result<std::vector<HexCount>> SqliteStore::Hexagons(const Filter& filter, int level) {
  const Reading reading(*this);
  FOGLINE_TRY(const Columns* columns, Mirror(filter));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Hexagons(filter, words, level);
}

Result<std::vector<TimeBin>> SqliteStore::Timeline(const Filter& filter, int64_t from_us,
                                                   int64_t to_us, size_t bins) {
  const Reading reading(*this);
  FOGLINE_TRY(const Columns* columns, Mirror(filter));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Timeline(filter, words, from_us, to_us, bins);
}

Status SqliteStore::ReadTallies(TallyKind kind, std::vector<ValueTally>& tallies) {
  FOGLINE_TRY(
      SqliteStatement select,
      reader().Prepare(fmt::format(
          "SELECT word.text, count, positives, payload_bytes, first_us, last_us FROM tally"
          " JOIN word ON word.id = tally.word WHERE kind = {} ORDER BY last_us DESC LIMIT {}",
          static_cast<int>(kind), kMostTallies)));
  for (;;) {
    FOGLINE_TRY(const bool row, select.Step());
    if (!row) return {};
    ValueTally& tally = tallies.emplace_back();
    tally.text = select.Text(0);
    tally.count = static_cast<uint64_t>(select.Integer(1));
    tally.positives = static_cast<uint64_t>(select.Integer(2));
    tally.payload_bytes = static_cast<uint64_t>(select.Integer(3));
    tally.first_us = select.Integer(4);
    tally.last_us = select.Integer(5);
  }
}

Result<Inventory> SqliteStore::Stock() {
  const Reading reading(*this);
  Inventory stock;
  FOGLINE_CHECK(ReadTallies(TallyKind::kDevice, stock.devices));
  FOGLINE_CHECK(ReadTallies(TallyKind::kLabel, stock.labels));
  FOGLINE_CHECK(ReadTallies(TallyKind::kMechanism, stock.mechanisms));
  FOGLINE_CHECK(ReadTallies(TallyKind::kModel, stock.models));
  // Every row has one mechanism, and there are few of them: their tallies add up to the whole.
  for (const ValueTally& tally : stock.mechanisms) {
    stock.first_us = stock.count == 0 ? tally.first_us : std::min(stock.first_us, tally.first_us);
    stock.last_us = stock.count == 0 ? tally.last_us : std::max(stock.last_us, tally.last_us);
    stock.count += tally.count;
  }
  FOGLINE_TRY(const int64_t last,
              reader().QueryInteger("SELECT coalesce(max(id), 0) FROM detection"));
  stock.last_id = static_cast<uint64_t>(last);
  return stock;
}

Result<uint64_t> SqliteStore::LastId() {
  const Reading reading(*this);
  FOGLINE_TRY(const int64_t last,
              reader().QueryInteger("SELECT coalesce(max(id), 0) FROM detection"));
  return static_cast<uint64_t>(last);
}

Result<std::vector<std::byte>> SqliteStore::Thumbnail(uint64_t id) {
  const Reading reading(*this);
  FOGLINE_TRY(SqliteStatement select, reader().Prepare("SELECT jpeg FROM thumbnail WHERE id = ?"));
  select.BindUnsigned(1, id);
  FOGLINE_TRY(const bool row, select.Step());
  if (!row) return Fail(ErrorCode::kNotFound, reader().path(), "detection {} has no picture", id);
  const auto jpeg = select.Blob(0);
  return std::vector<std::byte>(jpeg.begin(), jpeg.end());
}

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                               const StoreOptions& options) {
  return SqliteStore::Open(path, options);
}

}  // namespace fogline
