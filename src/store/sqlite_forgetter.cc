#include "store/sqlite_forgetter.h"

#include <algorithm>

#include "store/sqlite_schema.h"

namespace fogline {
namespace {

/// Pictures of one step, in bytes: SQLite may overwrite what it frees.
constexpr size_t kForgetBytes = 4 << 20;

}  // namespace

Result<std::unique_ptr<SqliteForgetter>> SqliteForgetter::Make(SqliteDatabase& database,
                                                               const StoreOptions& options) {
  std::unique_ptr<SqliteForgetter> forgetter(new SqliteForgetter(database, options));
  FOGLINE_TRY(forgetter->begin_, database.Prepare("BEGIN IMMEDIATE"));
  FOGLINE_TRY(forgetter->commit_, database.Prepare("COMMIT"));
  FOGLINE_TRY(forgetter->rollback_, database.Prepare("ROLLBACK"));
  FOGLINE_TRY(forgetter->times_, database.Prepare("SELECT id, stored_us FROM detection"
                                                  " WHERE id >= ? ORDER BY id LIMIT ?"));
  FOGLINE_TRY(forgetter->pictures_, database.Prepare("SELECT id, length(jpeg) FROM thumbnail"
                                                     " WHERE id <= ? ORDER BY id"));
  FOGLINE_TRY(forgetter->place_, database.Prepare("DELETE FROM place WHERE id = ?"));
  FOGLINE_TRY(forgetter->lower_,
              database.Prepare("UPDATE tally SET count = count - ?, positives = positives - ?,"
                               " payload_bytes = payload_bytes - ?, stored_bytes ="
                               " max(0, stored_bytes - ?) WHERE kind = ? AND word = ?"));
  FOGLINE_TRY(forgetter->name_,
              database.Prepare("INSERT INTO forgotten (device, run, block, names, last_us)"
                               " VALUES (?,?,?,?,?) ON CONFLICT (device, run, block) DO UPDATE SET"
                               " names = names | excluded.names, last_us = excluded.last_us"));
  return forgetter;
}

Result<ForgetStep> SqliteForgetter::Forget(const Retention& keep) {
  ForgetStep step;
  if (!keep.any()) return step;
  FOGLINE_TRY(const bool due, IsDue(keep));
  if (due) {
    Status done = Transact([&] { return ForgetDue(keep); });
    if (!done && done.error().code == ErrorCode::kExhausted && keep.bytes > 0) {
      ballast_.Drop();
      squeezed_ = true;
      done = Transact([&] { return ForgetDue(keep); });
    }
    FOGLINE_CHECK(done);
    step.rows = read_.size();
    if (squeezed_) {
      // Into the file with it, and the log starts over: only then is the room on the disk again.
      FOGLINE_CHECK(database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
      squeezed_ = false;
    }
    FOGLINE_TRY(step.more, IsDue(keep));
  }
  if (keep.bytes > 0 && !step.more) ballast_.Take(keep.bytes);
  return step;
}

Result<bool> SqliteForgetter::IsDue(const Retention& keep) {
  FOGLINE_TRY(const uint64_t id, Bound(keep));
  if (id > 0) return true;
  FOGLINE_TRY(const int64_t names, NamesBound(keep));
  return names > 0;
}

Result<uint64_t> SqliteForgetter::UsedBytes() {
  FOGLINE_TRY(const int64_t pages, database_.QueryInteger("PRAGMA page_count"));
  FOGLINE_TRY(const int64_t unused, database_.QueryInteger("PRAGMA freelist_count"));
  FOGLINE_TRY(const int64_t page, database_.QueryInteger("PRAGMA page_size"));
  return static_cast<uint64_t>((pages - unused) * page);
}

Result<uint64_t> SqliteForgetter::Bound(const Retention& keep) {
  const auto read = [this](uint64_t from, size_t most) -> Result<std::vector<StoredAt>> {
    std::vector<StoredAt> rows;
    times_.BindUnsigned(1, from);
    times_.BindUnsigned(2, most);
    Result<bool> row = times_.Step();
    for (; row && *row; row = times_.Step()) {
      rows.push_back({static_cast<uint64_t>(times_.Integer(0)), times_.Integer(1)});
    }
    times_.Reset();
    if (!row) return Forward(std::move(row));
    return rows;
  };
  FOGLINE_TRY(uint64_t up_to, LastTooOld(read, keep.age, options_.clock->WallMicros()));
  size_t excess = 0;
  if (keep.rows > 0) {
    FOGLINE_TRY(const int64_t rows, database_.QueryInteger(fmt::format(
                                        "SELECT coalesce(sum(count), 0) FROM tally WHERE kind = {}",
                                        static_cast<int>(TallyKind::kMechanism))));
    const auto count = static_cast<uint64_t>(rows);
    if (count > keep.rows) excess = std::min<uint64_t>(count - keep.rows, kForgetRows);
  }
  FOGLINE_TRY(const uint64_t used, UsedBytes());
  if (pressure_.Wants(used, keep)) excess = kForgetRows;
  if (excess > 0) {
    FOGLINE_TRY(const auto oldest, read(0, excess));
    if (!oldest.empty()) up_to = std::max(up_to, oldest.back().id);
  }
  return WithinBytes(up_to);
}

Result<uint64_t> SqliteForgetter::WithinBytes(uint64_t up_to) {
  pictures_.BindUnsigned(1, up_to);
  size_t bytes = 0;
  Result<bool> row = pictures_.Step();
  for (; row && *row; row = pictures_.Step()) {
    const auto id = static_cast<uint64_t>(pictures_.Integer(0));
    bytes += static_cast<size_t>(pictures_.Integer(1));
    if (bytes < kForgetBytes) continue;
    up_to = id;
    break;
  }
  pictures_.Reset();
  if (!row) return Forward(std::move(row));
  return up_to;
}

Result<int64_t> SqliteForgetter::NamesBound(const Retention& keep) {
  FOGLINE_TRY(const int64_t oldest, database_.QueryInteger("SELECT min(id) FROM forgotten"));
  if (oldest == 0) return 0;
  FOGLINE_TRY(const int64_t newest, database_.QueryInteger("SELECT max(id) FROM forgotten"));
  const auto count = static_cast<uint64_t>(newest - oldest + 1);
  const uint64_t most = MostNameBlocks(keep);
  constexpr auto kStep = static_cast<int64_t>(kForgetRows);
  int64_t up_to = 0;
  if (count > most) up_to = oldest + std::min(static_cast<int64_t>(count - most), kStep) - 1;
  const int64_t limit_us = options_.clock->WallMicros() - kNamesOutlive.count();
  FOGLINE_TRY(SqliteStatement young,
              database_.Prepare("SELECT min(id) FROM (SELECT id, last_us FROM forgotten ORDER BY id"
                                " LIMIT ?) WHERE last_us > ?"));
  young.Bind(1, kStep);
  young.Bind(2, limit_us);
  FOGLINE_TRY(const bool row, young.Step());
  const bool all_old = !row || young.IsNull(0);
  const int64_t first_young = all_old ? std::min(newest + 1, oldest + kStep) : young.Integer(0);
  return std::max(up_to, first_young > oldest ? first_young - 1 : 0);
}

Result<uint64_t> SqliteForgetter::Delete(std::span<const uint64_t> ids) {
  if (ids.empty()) return 0;
  // Somebody wants these gone: what they held is overwritten in the file.
  FOGLINE_TRY(const int64_t before, database_.QueryInteger("PRAGMA secure_delete"));
  FOGLINE_CHECK(database_.Execute("PRAGMA secure_delete = ON"));
  const Status done = Transact([&] { return DeleteNamed(ids); });
  FOGLINE_CHECK(database_.Execute(fmt::format("PRAGMA secure_delete = {}", before)));
  FOGLINE_CHECK(done);
  return read_.size();
}

template <typename Work>
Status SqliteForgetter::Transact(Work work) {
  FOGLINE_CHECK(begin_.Run());
  Status done = work();
  if (done) done = commit_.Run();
  if (!done) (void)rollback_.Run();  // SQLite may have done so by itself
  return done;
}

Status SqliteForgetter::ForgetDue(const Retention& keep) {
  // Now that nobody else writes: what was due a moment ago another process may have forgotten.
  FOGLINE_TRY(const uint64_t up_to_id, Bound(keep));
  FOGLINE_TRY(const int64_t up_to_names, NamesBound(keep));
  const std::string which = fmt::format("id <= {}", up_to_id);
  FOGLINE_CHECK(ReadRows(which));
  FOGLINE_CHECK(DeleteRows(which));  // first: what follows may need the room
  FOGLINE_CHECK(LowerTallies());
  if (up_to_names > 0) {
    FOGLINE_CHECK(
        database_.Execute(fmt::format("DELETE FROM forgotten WHERE id <= {}", up_to_names)));
  }
  return RememberNames();
}

Status SqliteForgetter::DeleteNamed(std::span<const uint64_t> ids) {
  const std::string which = fmt::format("id IN ({})", fmt::join(ids, ","));
  FOGLINE_CHECK(ReadRows(which));
  if (read_.empty()) return {};
  FOGLINE_CHECK(DeleteRows(which));
  FOGLINE_CHECK(LowerTallies());
  FOGLINE_CHECK(RememberNames());
  return LogDeletion();
}

Status SqliteForgetter::ReadRows(const std::string& which) {
  tallies_.clear();
  names_.clear();
  placed_.clear();
  read_.clear();
  FOGLINE_TRY(
      SqliteStatement rows,
      database_.Prepare("SELECT id, device, run, sequence, label, mechanism, model, positive,"
                        " payload_bytes, lat IS NOT NULL, ifnull(length(findings), 0),"
                        " CASE WHEN thumbnail THEN (SELECT length(jpeg) FROM thumbnail t"
                        " WHERE t.id = detection.id) ELSE 0 END FROM detection WHERE " +
                        which + " ORDER BY id"));
  for (;;) {
    FOGLINE_TRY(const bool row, rows.Step());
    if (!row) return {};
    read_.push_back(static_cast<uint64_t>(rows.Integer(0)));
    const auto sequence = static_cast<uint64_t>(rows.Integer(3));
    const Block block{rows.Integer(1), rows.Integer(2),
                      static_cast<int64_t>(sequence / kSqliteNamesInBlock)};
    names_[block] |= uint64_t{1} << (sequence % kSqliteNamesInBlock);
    if (rows.Integer(9) != 0) placed_.push_back(rows.Integer(0));
    for (const auto& [kind, column] : {std::pair{TallyKind::kDevice, 1},
                                       {TallyKind::kLabel, 4},
                                       {TallyKind::kMechanism, 5},
                                       {TallyKind::kModel, 6}}) {
      ValueTally& tally = tallies_[{kind, rows.Integer(column)}];
      ++tally.count;
      tally.positives += static_cast<uint64_t>(rows.Integer(7));
      tally.payload_bytes += static_cast<uint64_t>(rows.Integer(8));
      if (kind != TallyKind::kDevice) continue;
      tally.stored_bytes +=
          StoredBytes(static_cast<size_t>(rows.Integer(10)), static_cast<size_t>(rows.Integer(11)));
    }
  }
}

Status SqliteForgetter::DeleteRows(const std::string& which) {
  for (const int64_t id : placed_) {
    place_.Bind(1, id);
    FOGLINE_CHECK(place_.Run());
  }
  return database_.Execute(
      fmt::format("DELETE FROM thumbnail WHERE {0}; DELETE FROM detection WHERE {0}", which));
}

/// For mirrors, and for Newest where the newest rows are among them.
Status SqliteForgetter::LogDeletion() {
  FOGLINE_TRY(SqliteStatement log, database_.Prepare("INSERT INTO deleted (ids) VALUES (?)"));
  log.Bind(1, std::as_bytes(std::span(read_)));
  FOGLINE_CHECK(log.Run());
  return database_.Execute(
      fmt::format("DELETE FROM deleted WHERE step <= {};"
                  "INSERT INTO about VALUES ('last', '{}') ON CONFLICT DO UPDATE SET value ="
                  " max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))",
                  database_.last_insert_id() - static_cast<int64_t>(kDeletionsKept), read_.back()));
}

Status SqliteForgetter::LowerTallies() {
  for (const auto& [key, tally] : tallies_) {
    lower_.BindUnsigned(1, tally.count);
    lower_.BindUnsigned(2, tally.positives);
    lower_.BindUnsigned(3, tally.payload_bytes);
    lower_.BindUnsigned(4, tally.stored_bytes);
    lower_.Bind(5, static_cast<int64_t>(key.first));
    lower_.Bind(6, key.second);
    FOGLINE_CHECK(lower_.Run());
    FOGLINE_CHECK(database_.Execute(
        fmt::format("DELETE FROM tally WHERE kind = {} AND word = {} AND count <= 0",
                    static_cast<int64_t>(key.first), key.second)));
  }
  return {};
}

Status SqliteForgetter::RememberNames() {
  const int64_t now_us = options_.clock->WallMicros();
  for (const auto& [block, names] : names_) {
    name_.Bind(1, std::get<0>(block));
    name_.Bind(2, std::get<1>(block));
    name_.Bind(3, std::get<2>(block));
    name_.BindUnsigned(4, names);
    name_.Bind(5, now_us);
    FOGLINE_CHECK(name_.Run());
  }
  return {};
}

}  // namespace fogline
