#include "store/sqlite_reader.h"

#include <algorithm>
#include <cstring>

#include "store/detection.h"

namespace fogline {
namespace {

constexpr uint32_t kNoWord = 0;  // SQLite numbers words from 1
/// So many of SQLite's instructions between two looks at the clock.
constexpr int kBetweenLooks = 100'000;

constexpr const char* kColumns =
    "SELECT id, device, run, sequence, captured_us, stored_us, lat, lon, accuracy_m, heading_deg,"
    " model, label, score, positive, mechanism, cut, codec, payload_bytes, thumbnail, stages,"
    " captured_from, findings, counts FROM detection ";

}  // namespace

class SqliteReader::Reading {
 public:
  explicit Reading(SqliteReader& reader) : Reading(reader, reader.options_.longest_read) {}
  Reading(SqliteReader& reader, Nanos longest)
      : lock_(reader.mutex_),
        database_(reader.database_),
        clock_(*reader.options_.clock),
        deadline_(clock_.Steady() + longest) {
    sqlite3_progress_handler(database_.handle(), kBetweenLooks, &Reading::Late, this);
  }
  ~Reading() { sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  static int Late(void* self) {
    const auto& reading = *static_cast<Reading*>(self);
    return reading.clock_.Steady() > reading.deadline_ ? 1 : 0;
  }
  const std::lock_guard<std::mutex> lock_;
  SqliteDatabase& database_;
  const Clock& clock_;
  const Nanos deadline_;
};

Result<std::string> SqliteReader::Word(int64_t number) {
  FOGLINE_TRY(const std::string* text, words_.TextOf(number));
  return *text;
}

Result<StoredDetection> SqliteReader::ReadRow(SqliteStatement& row) {
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
  d.captured_from = TimeSourceOf(static_cast<uint8_t>(row.Integer(20))).value_or(TimeSource::kNone);
  const auto stages = row.Blob(19);
  for (size_t i = 0; i < kStages.size() && (i + 1) * sizeof(float) <= stages.size(); ++i) {
    std::memcpy(&(d.stages.*kStages[i].time_ms), stages.data() + i * sizeof(float), sizeof(float));
  }
  if (!row.IsNull(21)) {
    FOGLINE_TRY(d.findings, StoredFindings(row.Blob(21)));
  }
  if (!row.IsNull(22)) d.counts = ParseDeviceCounts(row.Text(22));
  return stored;
}

Result<std::vector<StoredDetection>> SqliteReader::Query(const Filter& filter, Order order,
                                                         size_t limit) {
  const Reading reading(*this);
  std::vector<StoredDetection> rows;
  if (limit == 0) return rows;
  if (filter.found.asks()) {
    // No index of the tables knows what was found; the mirror does.
    FOGLINE_TRY(const bool mirrored, Mirrored(filter.before_id));
    if (mirrored) {
      FOGLINE_TRY(const WordFilter words, Words(filter));
      return Rows(mirror_.columns().Ids(filter, words, order, limit));
    }
  }
  FOGLINE_TRY(const SqliteWhere where, TranslateFilter(database_, filter, false));
  if (where.never) return rows;
  FOGLINE_TRY(SqliteStatement select, database_.Prepare(fmt::format(
                                          "{} {} ORDER BY id {} LIMIT {}", kColumns, where.sql,
                                          order == Order::kOldestFirst ? "ASC" : "DESC",
                                          filter.found.asks() ? -1 : static_cast<int64_t>(limit))));
  where.BindTo(select);
  while (rows.size() < limit) {
    FOGLINE_TRY(const bool row, select.Step());
    if (!row) return rows;
    FOGLINE_TRY(StoredDetection stored, ReadRow(select));
    if (filter.found.Passes(stored.detection.findings)) rows.push_back(std::move(stored));
  }
  return rows;
}

Result<std::vector<StoredDetection>> SqliteReader::Rows(const std::vector<uint64_t>& ids) {
  std::vector<StoredDetection> rows;
  FOGLINE_TRY(SqliteStatement select, database_.Prepare(fmt::format("{} WHERE id = ?", kColumns)));
  for (const uint64_t id : ids) {
    select.BindUnsigned(1, id);
    FOGLINE_TRY(const bool row, select.Step());
    if (row) {
      FOGLINE_TRY(StoredDetection stored, ReadRow(select));
      rows.push_back(std::move(stored));
    }
    select.Reset();
  }
  return rows;
}

Result<WordFilter> SqliteReader::Words(const Filter& filter) {
  WordFilter words;
  FOGLINE_TRY(SqliteStatement find, database_.Prepare("SELECT id FROM word WHERE text = ?"));
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

Status SqliteReader::Load(const SqliteWhere& where, Columns& columns) {
  FOGLINE_TRY(SqliteStatement select,
              database_.Prepare("SELECT id, captured_us, lat, lon, score, positive, device, label,"
                                " mechanism, captured_from, findings FROM detection " +
                                where.sql + " ORDER BY id"));
  where.BindTo(select);
  for (;;) {
    FOGLINE_TRY(const bool row, select.Step());
    const bool enough = &columns == &selection_ ? TooManySelected(columns) : columns.overfull();
    if (!row || enough) return {};
    std::optional<Findings> findings;
    if (!select.IsNull(10)) {
      FOGLINE_TRY(findings, StoredFindings(select.Blob(10)));
    }
    columns.Add({.id = static_cast<uint64_t>(select.Integer(0)),
                 .captured_us = select.Integer(9) == 0 ? Columns::kNoTime : select.Integer(1),
                 .has_position = !select.IsNull(2),
                 .lat = select.Real(2),
                 .lon = select.Real(3),
                 .score = static_cast<float>(select.Real(4)),
                 .positive = select.Integer(5) != 0,
                 .device = static_cast<uint32_t>(select.Integer(6)),
                 .label = static_cast<uint32_t>(select.Integer(7)),
                 .mechanism = static_cast<uint32_t>(select.Integer(8)),
                 .boxes = BoxesOf(findings)});
  }
}

Result<Mirror::Extent> SqliteReader::Extent() {
  Mirror::Extent extent;
  extent.where = database_.path();
  extent.deleted = [this](uint64_t after) { return DeletedAfter(after); };
  extent.epoch = [this] { return Drawn(); };
  extent.row = [this](uint64_t id, Columns& columns) -> Status {
    FOGLINE_TRY(const SqliteWhere one,
                TranslateFilter(database_, {.after_id = id - 1, .before_id = id + 1}, false));
    return Load(one, columns);
  };
  FOGLINE_TRY(extent.deletions, Deleted());
  FOGLINE_TRY(extent.last, Newest());
  FOGLINE_TRY(extent.forgotten, Forgotten());
  return extent;
}

Status SqliteReader::LoadNewer(uint64_t after_id, Columns& columns) {
  FOGLINE_TRY(const SqliteWhere newer, TranslateFilter(database_, {.after_id = after_id}, false));
  return Load(newer, columns);
}

Result<bool> SqliteReader::Mirrored(uint64_t before_id) {
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.Follow(
      extent, options_.mirrored_rows, before_id,
      [this](uint64_t after, Columns& columns) { return LoadNewer(after, columns); });
}

Result<uint64_t> SqliteReader::CountedId() {
  const Reading reading(*this, std::min(Mirror::kStep, options_.longest_read));
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.ReadOn(extent, options_.mirrored_rows, [this](uint64_t after, Columns& columns) {
    return LoadNewer(after, columns);
  });
}

Result<const Columns*> SqliteReader::Counted(const Filter& filter) {
  FOGLINE_TRY(const bool mirrored, Mirrored(filter.before_id));
  if (mirrored) return &mirror_.columns();
  selection_ = {};
  FOGLINE_TRY(const SqliteWhere where, TranslateFilter(database_, filter, false));
  if (where.never) return &selection_;
  FOGLINE_CHECK(Load(where, selection_));
  FOGLINE_CHECK(CheckSelected(selection_, database_.path()));
  return &selection_;
}

Result<std::vector<HexCount>> SqliteReader::Hexagons(const Filter& filter, int level) {
  const Reading reading(*this);
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Hexagons(filter, words, level);
}

Result<TimeCounts> SqliteReader::Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                                          size_t bins) {
  const Reading reading(*this);
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Timeline(filter, words, from_us, to_us, bins);
}

Result<std::vector<FoundTally>> SqliteReader::Found(const Filter& filter) {
  const Reading reading(*this);
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Found(filter, words);
}

Status SqliteReader::ReadTallies(TallyKind kind, std::vector<ValueTally>& tallies) {
  FOGLINE_TRY(
      SqliteStatement select,
      database_.Prepare(fmt::format(
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
    if (tally.first_us > tally.last_us) tally.first_us = tally.last_us = 0;  // no row has a time
  }
}

Result<Inventory> SqliteReader::Stock() {
  const Reading reading(*this);
  Inventory stock;
  FOGLINE_CHECK(ReadTallies(TallyKind::kDevice, stock.devices));
  FOGLINE_CHECK(ReadTallies(TallyKind::kLabel, stock.labels));
  FOGLINE_CHECK(ReadTallies(TallyKind::kMechanism, stock.mechanisms));
  FOGLINE_CHECK(ReadTallies(TallyKind::kModel, stock.models));
  // Every row has one mechanism, and there are few of them: their tallies add up to the whole.
  SumUp(stock);
  FOGLINE_TRY(stock.last_id, Newest());
  FOGLINE_TRY(stock.forgotten_id, Forgotten());
  return stock;
}

/// The newest id is that of a row, or the highest that was deleted; where all were forgotten, the
/// one that SQLite remembers.
Result<uint64_t> SqliteReader::Newest() {
  FOGLINE_TRY(
      const int64_t last,
      database_.QueryInteger("SELECT max(coalesce((SELECT max(id) FROM detection), (SELECT seq FROM"
                             " sqlite_sequence WHERE name = 'detection'), 0), coalesce((SELECT"
                             " CAST(value AS INTEGER) FROM about WHERE name = 'last'), 0))"));
  return static_cast<uint64_t>(last);
}

Result<uint64_t> SqliteReader::Deleted() {
  return database_.QueryInteger("SELECT coalesce(max(step), 0) FROM deleted").map([](int64_t step) {
    return static_cast<uint64_t>(step);
  });
}

Result<std::optional<std::vector<uint64_t>>> SqliteReader::DeletedAfter(uint64_t step) {
  std::vector<uint64_t> ids;
  FOGLINE_TRY(SqliteStatement select,
              database_.Prepare("SELECT step, ids FROM deleted WHERE step > ? ORDER BY step"));
  select.BindUnsigned(1, step);
  for (;;) {
    FOGLINE_TRY(const bool row, select.Step());
    if (!row) return ids;
    if (static_cast<uint64_t>(select.Integer(0)) != ++step) return std::nullopt;
    const auto blob = select.Blob(1);
    const size_t before = ids.size();
    ids.resize(before + blob.size() / sizeof(uint64_t));
    std::memcpy(ids.data() + before, blob.data(), (ids.size() - before) * sizeof(uint64_t));
  }
}

/// The oldest row is the one after it; without rows, everything was forgotten.
Result<uint64_t> SqliteReader::Forgotten() {
  FOGLINE_TRY(const int64_t oldest, database_.QueryInteger("SELECT min(id) FROM detection"));
  if (oldest == 0) return Newest();
  return static_cast<uint64_t>(oldest - 1);
}

Result<uint64_t> SqliteReader::LastId() {
  const Reading reading(*this);
  return Newest();
}

Result<uint64_t> SqliteReader::ForgottenId() {
  const Reading reading(*this);
  return Forgotten();
}

Result<uint64_t> SqliteReader::Deletions() {
  const Reading reading(*this);
  return Deleted();
}

Result<Holdings> SqliteReader::Heaviest(size_t most) {
  const Reading reading(*this);
  Holdings holdings;
  for (const auto& [column, tallies] :
       {std::pair{"count", &holdings.by_rows}, {"stored_bytes", &holdings.by_bytes}}) {
    FOGLINE_TRY(SqliteStatement select,
                database_.Prepare(fmt::format(
                    "SELECT word.text, count, stored_bytes FROM tally JOIN word ON word.id ="
                    " tally.word WHERE kind = {} ORDER BY {} DESC LIMIT {}",
                    static_cast<int>(TallyKind::kDevice), column, most)));
    for (;;) {
      FOGLINE_TRY(const bool row, select.Step());
      if (!row) break;
      ValueTally& tally = tallies->emplace_back();
      tally.text = select.Text(0);
      tally.count = static_cast<uint64_t>(select.Integer(1));
      tally.stored_bytes = static_cast<uint64_t>(select.Integer(2));
    }
  }
  return holdings;
}

Result<std::vector<std::byte>> SqliteReader::Thumbnail(uint64_t id) {
  const Reading reading(*this);
  FOGLINE_TRY(SqliteStatement select, database_.Prepare("SELECT jpeg FROM thumbnail WHERE id = ?"));
  select.BindUnsigned(1, id);
  FOGLINE_TRY(const bool row, select.Step());
  if (!row) return Fail(ErrorCode::kNotFound, database_.path(), "detection {} has no picture", id);
  const auto jpeg = select.Blob(0);
  return std::vector<std::byte>(jpeg.begin(), jpeg.end());
}

Result<std::string> SqliteReader::Epoch() {
  const Reading reading(*this);
  return Drawn();
}

Result<std::string> SqliteReader::Drawn() {
  FOGLINE_TRY(SqliteStatement about,
              database_.Prepare("SELECT value FROM about WHERE name = 'epoch'"));
  FOGLINE_TRY(const bool row, about.Step());
  if (!row) return Fail(ErrorCode::kInvalid, database_.path(), "is a store without its epoch");
  return std::string(about.Text(0));
}

Result<uint64_t> SqliteReader::Mark(const std::string& name) {
  const Reading reading(*this);
  FOGLINE_TRY(SqliteStatement about, database_.Prepare("SELECT CAST(value AS INTEGER) FROM about"
                                                       " WHERE name = 'mark:' || ?"));
  about.Bind(1, std::string_view(name));
  FOGLINE_TRY(const bool row, about.Step());
  return row ? static_cast<uint64_t>(about.Integer(0)) : 0;
}

}  // namespace fogline
