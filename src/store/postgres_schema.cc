#include "store/postgres_schema.h"

#include <array>
#include <random>

#include "base/log.h"
#include "store/postgres_views.h"

namespace fogline {
namespace {

/// Drawn once; what two Foglines that create one store at a time wait for.
constexpr int64_t kCreationLock = 0x666f676c696e65;

// about: one row, which every transaction that writes locks first, and keeps until it has
//   committed: ids are given in the order of commits, and what a rollback gives back is given
//   again. part_end is the first id for which there is no partition, part_rows how many ids a new
//   one has.
// word: texts that repeat in every row, as small numbers.
// detection, box, thumbnail: parted by id, so that old parts are dropped as files. A partition's
//   place is a core GiST index, which needs no extension.
//   captured_from: a TimeSource. findings: as WriteFindings puts them; NULL where label and score
//   say it all. counts: "waiting dead dropped". The *_ms are the stages (kStages).
// name: what each frame that is there is called: unique over all partitions.
// forgotten: the names of frames whose rows are gone, 64 sequences of a run to a row, a bit each.
// tally: counts by value; first_us above last_us: no row of that value has a time.
// part: the partitions that there are.
constexpr const char* kFirst = R"sql(
CREATE SCHEMA fogline;
CREATE TABLE fogline.migration (
  version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now());
CREATE TABLE fogline.about (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), epoch text NOT NULL,
  last_id bigint NOT NULL DEFAULT 0, forgotten_id bigint NOT NULL DEFAULT 0,
  part_end bigint NOT NULL DEFAULT 0, part_rows bigint NOT NULL DEFAULT 1048576)
  WITH (fillfactor = 10);
CREATE TABLE fogline.word (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE fogline.detection (
  id bigint NOT NULL PRIMARY KEY,
  device integer NOT NULL, run bigint NOT NULL, sequence bigint NOT NULL,
  captured_us bigint NOT NULL, stored_us bigint NOT NULL,
  lat double precision, lon double precision, accuracy_m real, heading_deg real,
  model integer NOT NULL, label integer NOT NULL, score real NOT NULL, positive boolean NOT NULL,
  mechanism integer NOT NULL, cut integer NOT NULL, codec integer NOT NULL,
  payload_bytes bigint NOT NULL, thumbnail boolean NOT NULL, captured_from smallint NOT NULL,
  findings bytea, counts text,
  read_ms real, resize_ms real, prefix_ms real, encode_ms real, window_ms real, network_ms real,
  queue_ms real, decode_ms real, suffix_ms real, store_ms real) PARTITION BY RANGE (id);
CREATE INDEX detection_place ON fogline.detection USING gist (point(lon, lat));
CREATE INDEX detection_captured ON fogline.detection USING brin (captured_us);
CREATE TABLE fogline.box (
  id bigint NOT NULL, number integer NOT NULL, label text COLLATE "C" NOT NULL,
  score real NOT NULL, x real NOT NULL, y real NOT NULL, w real NOT NULL, h real NOT NULL,
  PRIMARY KEY (id, number)) PARTITION BY RANGE (id);
CREATE TABLE fogline.thumbnail (id bigint NOT NULL PRIMARY KEY, jpeg bytea NOT NULL)
  PARTITION BY RANGE (id);
CREATE TABLE fogline.name (
  device integer NOT NULL, run bigint NOT NULL, sequence bigint NOT NULL, id bigint NOT NULL,
  PRIMARY KEY (device, run, sequence));
CREATE TABLE fogline.forgotten (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device integer NOT NULL,
  run bigint NOT NULL, block bigint NOT NULL, names bigint NOT NULL, last_us bigint NOT NULL,
  UNIQUE (device, run, block));
CREATE TABLE fogline.tally (
  kind smallint NOT NULL, word integer NOT NULL, count bigint NOT NULL, positives bigint NOT NULL,
  payload_bytes bigint NOT NULL, first_us bigint NOT NULL, last_us bigint NOT NULL,
  PRIMARY KEY (kind, word)) WITH (fillfactor = 50);
CREATE TABLE fogline.part (first bigint PRIMARY KEY, until bigint NOT NULL);
)sql";

// mark: where somebody who works through rows by id goes on (Store::Mark).
constexpr const char* kSecond = R"sql(
CREATE TABLE fogline.mark (name text COLLATE "C" PRIMARY KEY, id bigint NOT NULL)
  WITH (fillfactor = 50);
)sql";

// hold: who alone does something, and until when (Store::Hold).
constexpr const char* kThird = R"sql(
CREATE TABLE fogline.hold (
  name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL)
  WITH (fillfactor = 50);
)sql";

// deleted: which rows each step of deletion took, so that mirrors learn of it; the last steps only.
// stored_bytes: see StoredBytes, of devices alone; rows of before count without what was found and
//   their pictures.
constexpr const char* kFourth = R"sql(
CREATE TABLE fogline.deleted (step bigint PRIMARY KEY, ids bigint[] NOT NULL);
ALTER TABLE fogline.about ADD COLUMN deletions bigint NOT NULL DEFAULT 0;
ALTER TABLE fogline.tally ADD COLUMN stored_bytes bigint NOT NULL DEFAULT 0;
UPDATE fogline.tally SET stored_bytes = 200 * count WHERE kind = 0;
CREATE INDEX tally_newest ON fogline.tally (kind, last_us DESC, word);
DO $$ DECLARE reader text; BEGIN
  FOR reader IN SELECT DISTINCT grantee FROM information_schema.role_table_grants
      WHERE table_schema = 'fogline' AND table_name = 'about' AND privilege_type = 'SELECT' LOOP
    EXECUTE 'GRANT SELECT ON fogline.deleted TO '
      || CASE WHEN reader = 'PUBLIC' THEN reader ELSE quote_ident(reader) END;
  END LOOP;
END $$;
)sql";

/// From one version to the next, the first from nothing.
constexpr std::array<const char*, kPostgresVersion> kMigrations{kFirst, kSecond, kThird, kFourth};

Status CheckEncoding(PostgresConnection& postgres) {
  FOGLINE_TRY(const PostgresRows encoding, postgres.Run("SHOW server_encoding"));
  if (encoding.Text(0, 0) == "UTF8") return {};
  return Fail(ErrorCode::kInvalid, postgres.where(),
              "is a database in {}; create one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE "
              "template0",
              encoding.Text(0, 0));
}

/// 0 where there is no store.
Result<int64_t> ReadVersion(PostgresConnection& postgres) {
  FOGLINE_TRY(
      const PostgresRows there,
      postgres.Run("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'fogline'),"
                   " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                   " WHERE n.nspname = 'fogline' AND c.relname = 'migration')"));
  if (there.Integer(0, 0) == 0) return 0;
  if (there.Integer(0, 1) == 0) {
    return Fail(ErrorCode::kInvalid, postgres.where(),
                "has a schema 'fogline' that is no store; name another database");
  }
  FOGLINE_TRY(const PostgresRows version,
              postgres.Run("SELECT coalesce(max(version), 0) FROM fogline.migration"));
  const int64_t found = version.Integer(0, 0);
  if (found < 1 || found > kPostgresVersion) {
    return Fail(ErrorCode::kUnsupported, postgres.where(),
                "is a store of version {}; this Fogline reads versions up to {}", found,
                kPostgresVersion);
  }
  return found;
}

Status Migrate(PostgresConnection& postgres) {
  return postgres.Transact([&]() -> Status {
    FOGLINE_CHECK(postgres.Execute(fmt::format("SELECT pg_advisory_xact_lock({})", kCreationLock)));
    FOGLINE_TRY(const int64_t from, ReadVersion(postgres));  // somebody may have been quicker
    for (int64_t version = from; version < kPostgresVersion; ++version) {
      FOGLINE_CHECK(postgres.Execute(kMigrations[static_cast<size_t>(version)]));
      FOGLINE_CHECK(postgres.Execute(
          fmt::format("INSERT INTO fogline.migration (version) VALUES ({})", version + 1)));
    }
    if (from == 0) {
      std::random_device random;
      FOGLINE_CHECK(postgres.Execute(fmt::format(
          "INSERT INTO fogline.about (epoch) VALUES ('{:08x}{:08x}')", random(), random())));
    }
    return from == 0 ? postgres.Execute(PostgresViews()) : Status();
  });
}

/// A role that may not is no failure: the geometry is a view's, and reads as well without its
/// index.
void PlacePostgis(PostgresConnection& postgres) {
  const auto missing = postgres.Run(
      "SELECT 1 FROM pg_extension e WHERE e.extname = 'postgis' AND NOT EXISTS (SELECT FROM"
      " pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'fogline'"
      " AND c.relname = 'places') AND pg_has_role((SELECT nspowner FROM pg_namespace"
      " WHERE nspname = 'fogline'), 'USAGE')");
  if (!missing || missing->size() == 0) return;
  const Status placed = postgres.Transact([&] { return postgres.Execute(PostgresPlaces()); });
  if (!placed) LogWarning("{}: no geometry: {}", postgres.where(), placed.error().message);
}

}  // namespace

Result<std::string> PreparePostgres(PostgresConnection& postgres, bool read_only) {
  FOGLINE_CHECK(CheckEncoding(postgres));
  FOGLINE_TRY(const int64_t version, ReadVersion(postgres));
  if (version == 0 && read_only) return FailNoStore(postgres.where());
  if (version < kPostgresVersion && !read_only) {
    const Status migrated = Migrate(postgres);
    if (!migrated && migrated.error().message.starts_with("permission denied for database")) {
      return Fail(ErrorCode::kUsage, postgres.where(),
                  "holds no store, and '{0}' may not create one; let the owner say: GRANT CREATE "
                  "ON DATABASE \"{1}\" TO \"{0}\"",
                  postgres.address().user, postgres.address().database);
    }
    FOGLINE_CHECK(migrated);
  }
  if (!read_only) PlacePostgis(postgres);
  FOGLINE_TRY(const PostgresRows about, postgres.Run("SELECT epoch FROM fogline.about"));
  if (about.size() != 1) {
    return Fail(ErrorCode::kInvalid, postgres.where(), "is a store without its epoch");
  }
  return about.Text(0, 0);
}

Status PreparePostgresWriter(PostgresConnection& postgres) {
  // A worker that stops between the statements of its transaction, or is heard no more, holds up
  // the others no longer than that, and not for as long as they wait. (PostgresWriter::EndUnheard:
  // one that stops within a statement.) The plans are by index even where nobody has counted the
  // rows yet.
  FOGLINE_CHECK(
      postgres.Execute("SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '2s';"
                       "SET enable_seqscan = off; SET enable_hashjoin = off;"
                       "SET enable_mergejoin = off; SET jit = off"));
  FOGLINE_TRY(const PostgresRows sync, postgres.Run("SHOW synchronous_commit"));
  if (sync.Text(0, 0) == "off") FOGLINE_CHECK(postgres.Execute("SET synchronous_commit = on"));
  return {};
}

Status ExtendPartitions(PostgresConnection& postgres, uint64_t end, uint64_t rows,
                        uint64_t last_id) {
  if (rows == 0) return Fail(ErrorCode::kInvalid, postgres.where(), "about.part_rows is 0");
  while (end <= last_id) {
    const uint64_t until = end + rows;
    for (const char* table : {"detection", "box", "thumbnail"}) {
      // Room for the new row beside the old, when a late time is added.
      FOGLINE_CHECK(postgres.Execute(fmt::format(
          "CREATE TABLE fogline.{0}_{1} PARTITION OF fogline.{0} FOR VALUES FROM ({1}) TO ({2})"
          " WITH (fillfactor = 90)",
          table, end, until)));
    }
    FOGLINE_CHECK(
        postgres.Execute(fmt::format("INSERT INTO fogline.part VALUES ({0}, {1});"
                                     "UPDATE fogline.about SET part_end = {1}",
                                     end, until)));
    end = until;
  }
  return {};
}

}  // namespace fogline
