#include "store/postgres_reader.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "store/postgres_counts.h"
#include "store/postgres_filter.h"
#include "store/postgres_row.h"

namespace fogline {
namespace {

/// Rows that are counted are read so many at a time.
constexpr size_t kCountedPage = 20'000;
constexpr uint32_t kNobodysWord = 0;  // PostgreSQL numbers words from 1
/// So many rows next to the end are looked through for those in a box, then so many times as many.
constexpr uint64_t kFirstReach = 65'536, kReachGrowth = 8;

}  // namespace

Result<std::vector<StoredDetection>> PostgresReader::Query(const Filter& filter, Order order,
                                                           size_t limit) {
  if (limit == 0) return std::vector<StoredDetection>();
  if (filter.Selects() && mirror_.columns().size() > 0) {
    FOGLINE_TRY(auto rows, QueryMirror(filter, order, limit));
    if (rows) return *std::move(rows);
  }
  if (filter.box) return QueryBox(filter, order, limit);
  return QueryTables(filter, order, limit);
}

Result<std::vector<StoredDetection>> PostgresReader::QueryTables(const Filter& filter, Order order,
                                                                 size_t limit) {
  const PostgresWhere where = ToPostgres(filter);
  if (where.never) return std::vector<StoredDetection>();
  FOGLINE_TRY(
      const PostgresRows rows,
      postgres_.Run(fmt::format("{}{} ORDER BY id {} LIMIT {}", SelectPostgresRows(), where.sql,
                                order == Order::kOldestFirst ? "ASC" : "DESC", limit),
                    where.values));
  return ReadPostgresRows(rows, words_);
}

/// Nothing where the mirror does not reach as far, and would not soon, or a row went meanwhile.
Result<std::optional<PostgresReader::StoredRows>> PostgresReader::QueryMirror(const Filter& filter,
                                                                              Order order,
                                                                              size_t limit) {
  deadline_ = options_.clock->Steady() + Mirror::kStep;
  const auto mirrored = Mirrored(filter.before_id);
  if (!mirrored || !*mirrored) return std::nullopt;
  FOGLINE_TRY(const WordFilter words, Words(filter));
  const std::vector<uint64_t> found = mirror_.columns().Ids(filter, words, order, limit);
  if (found.empty()) return StoredRows();
  const std::vector<int64_t> ids(found.begin(), found.end());
  FOGLINE_TRY(const PostgresRows rows,
              postgres_.Run(
                  fmt::format("{} WHERE d.id = ANY($1::bigint[]) ORDER BY id {}",
                              SelectPostgresRows(), order == Order::kOldestFirst ? "ASC" : "DESC"),
                  PostgresParameters().AddArray(std::span<const int64_t>(ids))));
  if (rows.size() < ids.size()) return std::nullopt;
  FOGLINE_TRY(StoredRows read, ReadPostgresRows(rows, words_));
  return read;
}

/// Of a box that holds much, the rows next to the end are enough; what a box that holds little has
/// is found through the index over places. PostgreSQL cannot tell the two apart.
Result<std::vector<StoredDetection>> PostgresReader::QueryBox(const Filter& filter, Order order,
                                                              size_t limit) {
  FOGLINE_TRY(const uint64_t last, LastId());
  FOGLINE_TRY(const uint64_t forgotten, ForgottenId());
  const bool ascending = order == Order::kOldestFirst;
  Filter near = filter, rest = filter;
  std::vector<StoredDetection> all;
  for (uint64_t reach = kFirstReach; all.size() < limit; reach *= kReachGrowth) {
    const uint64_t low = std::max(rest.after_id, forgotten);
    const uint64_t high = std::min(rest.before_id, last + 1);
    // How many more rows it would take at the rate so far, if it is worth it.
    const bool promising = reach == kFirstReach || all.size() * kReachGrowth >= limit;
    if (!promising || high <= low || high - low < reach * kReachGrowth) break;
    near.after_id = ascending ? low : high - 1 - reach;
    near.before_id = ascending ? low + 1 + reach : high;
    FOGLINE_TRY(auto rows, QueryTables(near, order, limit - all.size()));
    std::ranges::move(rows, std::back_inserter(all));
    (ascending ? rest.after_id : rest.before_id) = ascending ? low + reach : high - reach;
  }
  if (all.size() == limit) return all;
  FOGLINE_TRY(auto rows, QueryTables(rest, order, limit - all.size()));
  std::ranges::move(rows, std::back_inserter(all));
  return all;
}

Result<WordFilter> PostgresReader::Words(const Filter& filter) {
  WordFilter words;
  for (const auto& [texts, numbers] : {std::pair{&filter.labels, &words.labels},
                                       {&filter.devices, &words.devices},
                                       {&filter.mechanisms, &words.mechanisms}}) {
    for (const std::string& text : *texts) {
      int64_t number = kNobodysWord;
      if (IsUtf8(text)) {
        FOGLINE_TRY(number, words_.Find(text));
      }
      numbers->insert(static_cast<uint32_t>(number));
    }
  }
  return words;
}

Result<size_t> PostgresReader::LoadPage(const Filter& filter, Columns& columns) {
  const PostgresWhere where = ToPostgres(filter);
  if (where.never) return 0;
  FOGLINE_TRY(const PostgresRows rows,
              postgres_.Run(
                  fmt::format("SELECT d.id, captured_us, lat, lon, score, positive, device, label,"
                              " mechanism, captured_from, findings FROM fogline.detection d{}"
                              " ORDER BY d.id LIMIT {}",
                              where.sql, kCountedPage),
                  where.values));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::optional<Findings> findings;
    if (!rows.IsNull(i, 10)) {
      FOGLINE_TRY(findings, StoredFindings(rows.Bytes(i, 10)));
    }
    const bool placed = !rows.IsNull(i, 2);
    columns.Add({.id = rows.Unsigned(i, 0),
                 .captured_us = rows.Integer(i, 9) == 0 ? Columns::kNoTime : rows.Integer(i, 1),
                 .has_position = placed,
                 .lat = placed ? rows.Real(i, 2) : 0,
                 .lon = placed ? rows.Real(i, 3) : 0,
                 .score = static_cast<float>(rows.Real(i, 4)),
                 .positive = rows.Integer(i, 5) != 0,
                 .device = static_cast<uint32_t>(rows.Integer(i, 6)),
                 .label = static_cast<uint32_t>(rows.Integer(i, 7)),
                 .mechanism = static_cast<uint32_t>(rows.Integer(i, 8)),
                 .boxes = BoxesOf(findings)});
  }
  return rows.size();
}

Status PostgresReader::Load(Filter filter, Columns& columns) {
  for (;;) {
    if (options_.clock->Steady() > deadline_) {
      return Fail(ErrorCode::kExhausted, postgres_.where(),
                  "the query took too long; narrow its box, time or filters");
    }
    FOGLINE_TRY(const size_t rows, LoadPage(filter, columns));
    if (rows < kCountedPage || columns.overfull()) return {};
    filter.after_id = columns.last_id();
  }
}

Result<Mirror::Extent> PostgresReader::Extent() {
  FOGLINE_TRY(const uint64_t deletions, Deletions());
  FOGLINE_TRY(const PostgresRows about,
              postgres_.Run("SELECT last_id, forgotten_id FROM fogline.about"));
  if (about.size() != 1) {
    return Fail(ErrorCode::kConflict, postgres_.where(), "is not the store that was in it");
  }
  return Mirror::Extent{.where = postgres_.where(),
                        .last = about.Unsigned(0, 0),
                        .forgotten = about.Unsigned(0, 1),
                        .deletions = deletions,
                        .deleted = [this](uint64_t after) { return DeletedAfter(after); },
                        .epoch = [this]() -> Result<std::string> {
                          FOGLINE_TRY(const PostgresRows rows,
                                      postgres_.Run("SELECT epoch FROM fogline.about"));
                          return rows.Text(0, 0);
                        },
                        .row = [this](uint64_t id, Columns& columns) -> Status {
                          return Load({.after_id = id - 1, .before_id = id + 1}, columns);
                        }};
}

Result<bool> PostgresReader::Mirrored(uint64_t before_id) {
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.Follow(
      extent, options_.mirrored_rows, before_id,
      [this](uint64_t after, Columns& columns) { return Load({.after_id = after}, columns); });
}

Result<uint64_t> PostgresReader::CountedId() {
  deadline_ = options_.clock->Steady() + std::min(Mirror::kStep, options_.longest_read);
  FOGLINE_TRY(const Mirror::Extent extent, Extent());
  return mirror_.ReadOn(extent, options_.mirrored_rows, [this](uint64_t after, Columns& columns) {
    return Load({.after_id = after}, columns);
  });
}

Result<const Columns*> PostgresReader::Counted(const Filter& filter) {
  deadline_ = options_.clock->Steady() + options_.longest_read;
  FOGLINE_TRY(const bool mirrored, Mirrored(filter.before_id));
  return mirrored ? &mirror_.columns() : nullptr;
}

Result<std::vector<HexCount>> PostgresReader::Hexagons(const Filter& filter, int level) {
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  if (columns == nullptr) return CountHexagons(postgres_, filter, HexGrid(level));
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Hexagons(filter, words, level);
}

Result<TimeCounts> PostgresReader::Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                                            size_t bins) {
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  if (columns == nullptr) return CountTimeline(postgres_, filter, from_us, to_us, bins);
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Timeline(filter, words, from_us, to_us, bins);
}

Result<std::vector<FoundTally>> PostgresReader::Found(const Filter& filter) {
  FOGLINE_TRY(const Columns* columns, Counted(filter));
  if (columns == nullptr) return CountFound(postgres_, filter);
  FOGLINE_TRY(const WordFilter words, Words(filter));
  return columns->Found(filter, words);
}

Status PostgresReader::ReadTallies(int kind, std::vector<ValueTally>& tallies) {
  FOGLINE_TRY(
      const PostgresRows rows,
      postgres_.Run(fmt::format("SELECT w.text, count, positives, payload_bytes, first_us, last_us"
                                " FROM fogline.tally t JOIN fogline.word w ON w.id = t.word"
                                " WHERE kind = {} ORDER BY last_us DESC, t.word LIMIT {}",
                                kind, kMostTallies)));
  for (size_t i = 0; i < rows.size(); ++i) {
    ValueTally& tally = tallies.emplace_back();
    tally.text = rows.Text(i, 0);
    tally.count = rows.Unsigned(i, 1);
    tally.positives = rows.Unsigned(i, 2);
    tally.payload_bytes = rows.Unsigned(i, 3);
    tally.first_us = rows.Integer(i, 4);
    tally.last_us = rows.Integer(i, 5);
    if (tally.first_us > tally.last_us) tally.first_us = tally.last_us = 0;  // no row has a time
  }
  return {};
}

Result<Inventory> PostgresReader::Stock() {
  Inventory stock;
  FOGLINE_CHECK(ReadTallies(0, stock.devices));
  FOGLINE_CHECK(ReadTallies(1, stock.labels));
  FOGLINE_CHECK(ReadTallies(2, stock.mechanisms));
  FOGLINE_CHECK(ReadTallies(3, stock.models));
  SumUp(stock);
  FOGLINE_TRY(stock.forgotten_id, ForgottenId());
  FOGLINE_TRY(stock.last_id, LastId());
  return stock;
}

Result<uint64_t> PostgresReader::LastId() {
  FOGLINE_TRY(const PostgresRows about, postgres_.Run("SELECT last_id FROM fogline.about"));
  return about.size() == 0 ? 0 : about.Unsigned(0, 0);
}

Result<uint64_t> PostgresReader::ForgottenId() {
  FOGLINE_TRY(const PostgresRows about, postgres_.Run("SELECT forgotten_id FROM fogline.about"));
  return about.size() == 0 ? 0 : about.Unsigned(0, 0);
}

Result<uint64_t> PostgresReader::Deletions() {
  if (!knows_deletion_) {
    FOGLINE_TRY(const PostgresRows there, postgres_.Run("SELECT to_regclass('fogline.deleted')"
                                                        " IS NOT NULL"));
    knows_deletion_ = there.size() == 1 && there.Integer(0, 0) != 0;
    if (!knows_deletion_) return 0;
  }
  FOGLINE_TRY(const PostgresRows about, postgres_.Run("SELECT deletions FROM fogline.about"));
  return about.size() == 0 ? 0 : about.Unsigned(0, 0);
}

Result<std::optional<std::vector<uint64_t>>> PostgresReader::DeletedAfter(uint64_t step) {
  FOGLINE_TRY(const PostgresRows found,
              postgres_.Run("SELECT d.step, i.id FROM fogline.deleted d, unnest(d.ids) AS i (id)"
                            " WHERE d.step > $1::bigint ORDER BY 1, 2",
                            PostgresParameters().AddUnsigned(step)));
  std::vector<uint64_t> ids;
  for (size_t i = 0; i < found.size(); ++i) {
    const uint64_t at = found.Unsigned(i, 0);
    if (at > step + 1) return std::nullopt;
    step = at;
    ids.push_back(found.Unsigned(i, 1));
  }
  return ids;
}

Result<Holdings> PostgresReader::Heaviest(size_t most) {
  Holdings holdings;
  for (const auto& [column, tallies] :
       {std::pair{"count", &holdings.by_rows}, {"stored_bytes", &holdings.by_bytes}}) {
    FOGLINE_TRY(const PostgresRows rows,
                postgres_.Run(fmt::format("SELECT w.text, count, stored_bytes FROM fogline.tally t"
                                          " JOIN fogline.word w ON w.id = t.word WHERE kind = 0"
                                          " ORDER BY {} DESC LIMIT {}",
                                          column, most)));
    for (size_t i = 0; i < rows.size(); ++i) {
      ValueTally& tally = tallies->emplace_back();
      tally.text = rows.Text(i, 0);
      tally.count = rows.Unsigned(i, 1);
      tally.stored_bytes = rows.Unsigned(i, 2);
    }
  }
  return holdings;
}

Result<uint64_t> PostgresReader::Mark(const std::string& name) {
  FOGLINE_TRY(const PostgresRows mark,
              postgres_.Run("SELECT id FROM fogline.mark WHERE name = $1::text",
                            PostgresParameters().Add(name)));
  return mark.size() == 0 ? 0 : mark.Unsigned(0, 0);
}

Result<std::vector<std::byte>> PostgresReader::Thumbnail(uint64_t id) {
  FOGLINE_TRY(const PostgresRows rows,
              postgres_.Run("SELECT jpeg FROM fogline.thumbnail WHERE id = $1::bigint",
                            PostgresParameters().AddUnsigned(id)));
  if (rows.size() == 0) {
    return Fail(ErrorCode::kNotFound, postgres_.where(), "detection {} has no picture", id);
  }
  const auto jpeg = rows.Bytes(0, 0);
  return std::vector<std::byte>(jpeg.begin(), jpeg.end());
}

}  // namespace fogline
