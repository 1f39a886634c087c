#include "store/sqlite_schema.h"

#include <random>

#include "store/sqlite_writer.h"

namespace fogline {
namespace {

// detection: texts are numbers into `word`, so that a row is about 150 bytes. AUTOINCREMENT: an id
//   is never given twice, even after rows are deleted, so that readers can resume by id.
//   stages: one little-endian float32 a stage in the order of kStages; later stages append.
// place: the R*Tree over positions (its 32-bit floats round outwards, so it may answer too much,
//   never too little; queries compare the exact columns as well).
//   captured_from: a TimeSource; with none (0) captured_us is 0.
//   findings: as WriteFindings puts them; NULL where label and score say it all.
//   counts: "waiting dead dropped" as the device told them with this frame; NULL where it did not.
// forgotten: the names of frames whose rows are gone, 64 sequences of a run to a row, a bit each;
//   last_us is when the last of them went. Rows are let go in the order in which they came.
// deleted: which rows each step of deletion took, ids as 64-bit numbers of this machine one after
//   the other, so that mirrors learn of it; the last steps only. about has the highest id that was
//   deleted ('last'), since the newest row may be gone.
// tally: counts by value, so that lists of devices and labels cost no scan. kind: see TallyKind.
//   first_us above last_us: no row of that value has a time. stored_bytes: see StoredBytes, of
//   devices alone; rows of versions before 4 count without what was found and their pictures.
constexpr const char* kTables = R"sql(
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE detection (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device INTEGER NOT NULL, run INTEGER NOT NULL, sequence INTEGER NOT NULL,
  captured_us INTEGER NOT NULL, stored_us INTEGER NOT NULL,
  lat REAL, lon REAL, accuracy_m REAL, heading_deg REAL,
  model INTEGER NOT NULL, label INTEGER NOT NULL, score REAL NOT NULL, positive INTEGER NOT NULL,
  mechanism INTEGER NOT NULL, cut INTEGER NOT NULL, codec INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL, thumbnail INTEGER NOT NULL, stages BLOB NOT NULL,
  captured_from INTEGER NOT NULL DEFAULT 5, findings BLOB, counts TEXT);
CREATE UNIQUE INDEX detection_name ON detection (device, run, sequence);
CREATE VIRTUAL TABLE place USING rtree (id, west, east, south, north);
CREATE TABLE thumbnail (id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE tally (
  kind INTEGER NOT NULL, word INTEGER NOT NULL, count INTEGER NOT NULL, positives INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, word)) WITHOUT ROWID;
)sql";

constexpr const char* kForgottenTable = R"sql(
CREATE TABLE forgotten (
  id INTEGER PRIMARY KEY, device INTEGER NOT NULL, run INTEGER NOT NULL, block INTEGER NOT NULL,
  names INTEGER NOT NULL, last_us INTEGER NOT NULL);
CREATE UNIQUE INDEX forgotten_name ON forgotten (device, run, block);
)sql";

constexpr const char* kDeletedTable = R"sql(
CREATE TABLE deleted (step INTEGER PRIMARY KEY AUTOINCREMENT, ids BLOB NOT NULL);
CREATE INDEX tally_newest ON tally (kind, last_us DESC);
)sql";

std::string DrawEpoch() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Status CreateTables(SqliteDatabase& database) {
  FOGLINE_CHECK(database.Execute(kTables));
  FOGLINE_CHECK(database.Execute(kForgottenTable));
  FOGLINE_CHECK(database.Execute(kDeletedTable));
  FOGLINE_CHECK(database.Execute(
      fmt::format("INSERT INTO about VALUES ('epoch', '{}'); PRAGMA application_id = {}; "
                  "PRAGMA user_version = {};",
                  DrawEpoch(), kSqliteApplicationId, kSqliteVersion)));
  return {};
}

/// Version 1 knew neither forgetting nor where a time comes from: all were the device's clock's.
/// Version 2 knew no findings but a label and its score, and nothing that devices tell of
/// themselves. Version 3 knew no deletion, and not how much each device holds.
Status Migrate(SqliteDatabase& database, int64_t from) {
  if (from == 1) {
    FOGLINE_CHECK(database.Execute(
        "ALTER TABLE detection ADD COLUMN captured_from INTEGER NOT NULL DEFAULT 5"));
    FOGLINE_CHECK(database.Execute(kForgottenTable));
  }
  if (from <= 2) {
    FOGLINE_CHECK(
        database.Execute("ALTER TABLE detection ADD COLUMN findings BLOB;"
                         "ALTER TABLE detection ADD COLUMN counts TEXT"));
  }
  FOGLINE_CHECK(
      database.Execute("ALTER TABLE tally ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0"));
  FOGLINE_CHECK(
      database.Execute(fmt::format("UPDATE tally SET stored_bytes = {} * count WHERE kind = {}",
                                   kPlainRowBytes, static_cast<int>(TallyKind::kDevice))));
  FOGLINE_CHECK(database.Execute(kDeletedTable));
  return database.Execute(fmt::format("PRAGMA user_version = {}", kSqliteVersion));
}

/// Of a file that has tables.
Result<int64_t> VersionOf(SqliteDatabase& database) {
  FOGLINE_TRY(const int64_t application, database.QueryInteger("PRAGMA application_id"));
  if (application != kSqliteApplicationId) {
    return Fail(ErrorCode::kInvalid, database.path(),
                "is a SQLite database of another program; name a new file");
  }
  FOGLINE_TRY(const int64_t version, database.QueryInteger("PRAGMA user_version"));
  if (version < 1 || version > kSqliteVersion) {
    return Fail(ErrorCode::kUnsupported, database.path(),
                "is a store of version {}; this Fogline reads versions up to {}", version,
                kSqliteVersion);
  }
  return version;
}

/// Within a transaction, so that two processes that open a new file do not both create the tables.
Status CheckTables(SqliteDatabase& database) {
  FOGLINE_TRY(const int64_t tables,
              database.QueryInteger("SELECT count(*) FROM sqlite_master WHERE type = 'table'"));
  if (tables == 0) return CreateTables(database);
  FOGLINE_TRY(const int64_t version, VersionOf(database));
  return version == kSqliteVersion ? Status() : Migrate(database, version);
}

/// What an older version's rows lack, for readers that cannot bring the file up to date: views of
/// the connection alone, which hide the tables of their names. As in Migrate.
Status ShowAsCurrent(SqliteDatabase& database, int64_t version) {
  if (version == kSqliteVersion) return {};
  FOGLINE_CHECK(
      database.Execute("CREATE TEMP VIEW deleted AS SELECT 0 AS step, x'' AS ids WHERE 0;"
                       "CREATE TEMP VIEW tally AS SELECT *, 0 AS stored_bytes FROM main.tally"));
  if (version > 2) return {};
  return database.Execute(
      fmt::format("CREATE TEMP VIEW detection AS SELECT *{}, NULL AS findings, NULL AS counts"
                  " FROM main.detection",
                  version == 1 ? ", 5 AS captured_from" : ""));
}

}  // namespace

Status PrepareReader(SqliteDatabase& database) {
  FOGLINE_CHECK(database.Execute("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768"));
  FOGLINE_TRY(const int64_t tables,
              database.QueryInteger("SELECT count(*) FROM sqlite_master WHERE type = 'table'"));
  if (tables == 0) return FailNoStore(database.path());
  FOGLINE_TRY(const int64_t version, VersionOf(database));
  FOGLINE_CHECK(ShowAsCurrent(database, version));
  return database.Execute("PRAGMA query_only = 1");
}

Status PrepareWriter(SqliteDatabase& database, const StoreOptions& options) {
  // synchronous=FULL: in WAL mode every commit syncs the log once before it returns, so that what
  // an edge was told is stored survives power loss, not only a crash of this process (that NORMAL
  // would survive too). Batches share the sync.
  FOGLINE_CHECK(
      database.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;"
                       "PRAGMA temp_store = MEMORY;"));
  FOGLINE_CHECK(database.Execute("BEGIN IMMEDIATE"));
  const Status tables = CheckTables(database);
  FOGLINE_CHECK(database.Execute(tables ? "COMMIT" : "ROLLBACK"));
  if (!tables) return tables;
  if (options.max_bytes > 0) {
    FOGLINE_TRY(const int64_t page, database.QueryInteger("PRAGMA page_size"));
    FOGLINE_CHECK(database.Execute(fmt::format("PRAGMA max_page_count = {}",
                                               std::max<uint64_t>(1, options.max_bytes / page))));
  }
  return {};
}

}  // namespace fogline
