// What is particular to SQLite: files, crashes, full disks.
#include "store/sqlite_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>

#include "base/file.h"
#include "store/sqlite_handle.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNewYear = 1'767'225'600'000'000;  // 2026

Detection SqliteSample(uint64_t sequence) {
  Detection d;
  d.device = "cam";
  d.sequence = sequence;
  d.captured_us = kNewYear + static_cast<int64_t>(sequence);
  d.has_position = true;
  d.lat = 1;
  d.lon = 2;
  d.mechanism = "split";
  d.thumbnail.resize(2000);
  return d;
}

TEST(OpenStore, NamesWhatItCannotOpen) {
  EXPECT_EQ(OpenStore("mysql://x").error().code, ErrorCode::kUsage);
  EXPECT_EQ(OpenStore("sqlite:").error().code, ErrorCode::kUsage);
  const TempDir dir;
  const auto missing = OpenSqliteStore((dir.path() / "no" / "such.db").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().where, HasSubstr("such.db"));
}

TEST(SqliteStore, RefusesForeignFiles) {
  const TempDir dir;
  const std::string text = (dir.path() / "notes.txt").string();
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(OpenSqliteStore(text).error().code, ErrorCode::kInvalid);

  const std::string foreign = (dir.path() / "foreign.db").string();
  {
    auto database = SqliteDatabase::Open(foreign, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    ASSERT_TRUE((*database)->Execute("CREATE TABLE bookmarks (url)"));
  }
  const auto refused = OpenSqliteStore(foreign);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("another program"));

  const std::string newer = (dir.path() / "newer.db").string();
  ASSERT_TRUE(OpenSqliteStore(newer));
  {
    auto database = SqliteDatabase::Open(newer, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version = 99"));
  }
  EXPECT_EQ(OpenSqliteStore(newer).error().code, ErrorCode::kUnsupported);
}

TEST(SqliteStore, IsThereAgainAfterReopening) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  std::string epoch;
  uint64_t id = 0;
  {
    auto store = OpenSqliteStore(path).value();
    epoch = store->epoch();
    const Detection d = SqliteSample(1);
    id = store->Put(std::span(&d, 1)).value()[0].id;
  }
  auto store = OpenSqliteStore(path).value();
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->LastId().value(), id);
  const Detection d = SqliteSample(1);
  EXPECT_EQ(store->Put(std::span(&d, 1)).value()[0].kind, PutOutcome::kDuplicate);
}

TEST(SqliteStore, TwoProcessesMayShareAFile) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  auto one = OpenSqliteStore(path).value();
  auto two = OpenSqliteStore(path).value();
  const Detection a = SqliteSample(1);
  const Detection b = SqliteSample(2);
  ASSERT_TRUE(one->Put(std::span(&a, 1)));
  EXPECT_EQ(two->Put(std::span(&a, 1)).value()[0].kind, PutOutcome::kDuplicate);
  ASSERT_TRUE(two->Put(std::span(&b, 1)));
  EXPECT_EQ(one->Query({}, Order::kOldestFirst, 9).value().size(), 2U);
}

TEST(SqliteStore, WhatIsTakenAwayUnderItIsNotWrittenTo) {
  const TempDir dir;
  const auto path = dir.path() / "s.db", aside = dir.path() / "aside.db";
  auto store = OpenSqliteStore(path.string()).value();
  const Detection a = SqliteSample(1), b = SqliteSample(2), c = SqliteSample(3);
  ASSERT_TRUE(store->Put(std::span(&a, 1)));
  std::filesystem::rename(path, aside);
  EXPECT_EQ(store->Put(std::span(&b, 1)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store->Probe().error().code, ErrorCode::kConflict);
  ASSERT_TRUE(WriteFile(path, "another one in its place"));
  EXPECT_THAT(store->Put(std::span(&b, 1)).error().ToString(), HasSubstr("was taken away"));
  std::filesystem::rename(aside, path);
  EXPECT_TRUE(store->Put(std::span(&c, 1)));
}

// A child stores rows and says after each Put which one it was told is safe; it is killed in the
// middle of its work. Everything it said must be there.
TEST(SqliteStore, WhatPutConfirmedSurvivesKill9) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  int said[2];
  ASSERT_EQ(pipe(said), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = OpenSqliteStore(path);
    for (uint64_t i = 0; store; i += 2) {
      const std::vector<Detection> batch{SqliteSample(i), SqliteSample(i + 1)};
      if (!(*store)->Put(batch)) break;
      const uint64_t last = i + 1;
      if (write(said[1], &last, sizeof(last)) != sizeof(last)) break;
    }
    _exit(1);
  }
  close(said[1]);
  uint64_t confirmed = 0;
  while (confirmed < 60 && read(said[0], &confirmed, sizeof(confirmed)) == sizeof(confirmed)) {
  }
  kill(child, SIGKILL);
  uint64_t more = 0;
  while (read(said[0], &more, sizeof(more)) == sizeof(more)) confirmed = more;
  close(said[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

  auto store = OpenSqliteStore(path).value();
  const auto rows = store->Query({}, Order::kOldestFirst, 1'000'000).value();
  ASSERT_GE(rows.size(), confirmed + 1);
  EXPECT_EQ(rows.size() % 2, 0U) << "half a batch was stored";
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].detection.sequence, i);
  EXPECT_EQ(store->Stock().value().count, rows.size());
}

/// Puts until the store refuses; checks that the refusal is honest and that nothing confirmed is
/// lost. Returns a complaint, or nothing.
std::string FillUp(const std::string& path, uint64_t max_bytes) {
  auto store = OpenSqliteStore(path, {.max_bytes = max_bytes});
  if (!store) return store.error().ToString();
  uint64_t confirmed = 0;
  for (; confirmed < 100'000; ++confirmed) {
    const Detection d = SqliteSample(confirmed);
    const auto outcome = (*store)->Put(std::span(&d, 1));
    if (outcome) continue;
    if (outcome.error().code != ErrorCode::kExhausted)
      return "code of " + outcome.error().ToString();
    if (outcome.error().where.find(path) == std::string::npos) return "no path in the error";
    break;
  }
  if (confirmed == 0) return "nothing fitted";
  if (confirmed == 100'000) return "never full";
  const auto rows = (*store)->Query({}, Order::kOldestFirst, 1'000'000);
  if (!rows) return rows.error().ToString();
  if (rows->size() != confirmed) return "confirmed and stored differ";
  const auto stock = (*store)->Stock();
  if (!stock || stock->count != confirmed) return "the tallies disagree";
  return {};
}

TEST(SqliteStore, AStoreAtItsLimitRefusesAndKeepsWhatItHas) {
  const TempDir dir;
  EXPECT_EQ(FillUp((dir.path() / "s.db").string(), 1 << 20), "");
}

/// What `work` says, run on a disk of its own at `dir`; "cannot mount" where that is not allowed.
std::string OnASmallDisk(const std::filesystem::path& dir, const char* size,
                         const std::function<std::string()>& work) {
  int complaint[2];
  if (geteuid() != 0 || pipe(complaint) != 0) return "cannot mount";
  const pid_t child = fork();
  if (child == 0) {  // its own mount namespace: the disk goes away with it
    std::string said = "cannot mount";
    if (unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("tmpfs", dir.c_str(), "tmpfs", 0, size) == 0) {
      said = work();
    }
    (void)!write(complaint[1], said.data(), said.size());
    _exit(0);
  }
  close(complaint[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n = 0; (n = read(complaint[0], buffer, sizeof(buffer))) > 0;) {
    said.append(buffer, static_cast<size_t>(n));
  }
  close(complaint[0]);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  return said;
}

TEST(SqliteStore, AFullDiskRefusesAndKeepsWhatItHas) {
  const TempDir dir;
  const std::string said = OnASmallDisk(dir.path(), "size=4m",
                                        [&] { return FillUp((dir.path() / "s.db").string(), 0); });
  if (said == "cannot mount") GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(said, "");
}

/// What the first version of the tables held after three frames.
constexpr const char* kFirstVersion = R"sql(
PRAGMA application_id = 1181706060;
PRAGMA user_version = 1;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE detection (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device INTEGER NOT NULL, run INTEGER NOT NULL, sequence INTEGER NOT NULL,
  captured_us INTEGER NOT NULL, stored_us INTEGER NOT NULL,
  lat REAL, lon REAL, accuracy_m REAL, heading_deg REAL,
  model INTEGER NOT NULL, label INTEGER NOT NULL, score REAL NOT NULL, positive INTEGER NOT NULL,
  mechanism INTEGER NOT NULL, cut INTEGER NOT NULL, codec INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL, thumbnail INTEGER NOT NULL, stages BLOB NOT NULL);
CREATE UNIQUE INDEX detection_name ON detection (device, run, sequence);
CREATE VIRTUAL TABLE place USING rtree (id, west, east, south, north);
CREATE TABLE thumbnail (id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE tally (
  kind INTEGER NOT NULL, word INTEGER NOT NULL, count INTEGER NOT NULL, positives INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
  PRIMARY KEY (kind, word)) WITHOUT ROWID;
INSERT INTO about VALUES ('epoch', '0123456789abcdef');
INSERT INTO word VALUES (1, 'cam'), (2, ''), (3, 'split'), (4, 'litter');
INSERT INTO detection VALUES
  (1, 1, 5, 0, 1000, 2000, 1, 2, NULL, NULL, 2, 4, 0.5, 1, 3, 2, 2, 100, 0, x''),
  (2, 1, 5, 1, 1001, 2001, NULL, NULL, NULL, NULL, 2, 4, 0.5, 0, 3, 2, 2, 100, 0, x''),
  (3, 1, 5, 2, 1002, 2002, 1, 2, NULL, NULL, 2, 4, 0.5, 1, 3, 2, 2, 100, 1, x'');
INSERT INTO place VALUES (1, 2, 2, 1, 1), (3, 2, 2, 1, 1);
INSERT INTO thumbnail VALUES (3, x'ffd8');
INSERT INTO tally VALUES (0, 1, 3, 2, 300, 1000, 1002), (1, 4, 3, 2, 300, 1000, 1002),
  (2, 3, 3, 2, 300, 1000, 1002), (3, 2, 3, 2, 300, 1000, 1002);
)sql";

TEST(SqliteStore, AStoreOfTheFirstVersionIsBroughtUpToDate) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  {
    auto database = SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
    ASSERT_TRUE(database->Execute(kFirstVersion));
  }
  for (int opened = 0; opened < 2; ++opened) {  // and stays so
    auto store = OpenSqliteStore(path).value();
    EXPECT_EQ(store->epoch(), "0123456789abcdef");
    const auto rows = store->Query({}, Order::kOldestFirst, 10).value();
    ASSERT_EQ(rows.size(), 3U + static_cast<size_t>(opened));
    EXPECT_EQ(rows[2].detection.captured_from, TimeSource::kClock);
    EXPECT_EQ(rows[2].detection.captured_us, 1002);
    Detection d = SqliteSample(2);
    d.run = 5;
    EXPECT_EQ(store->Put(std::span(&d, 1)).value()[0].id, 3U);
    d.sequence = 3;
    d.captured_from = TimeSource::kNone;
    EXPECT_GT(store->Put(std::span(&d, 1)).value()[0].id, 3U);
    EXPECT_EQ(store->Stock().value().count, 4U);
  }
  auto store = OpenSqliteStore(path).value();
  EXPECT_EQ(store->Forget({.rows = 1}).value().rows, 3U);
  EXPECT_EQ(store->Stock().value().count, 1U);
  EXPECT_EQ(store->Thumbnail(3).error().code, ErrorCode::kNotFound);
}

/// A store that a binary of the second version wrote, its tables and rows as they were.
TEST(SqliteStore, AStoreOfTheSecondVersionIsBroughtUpToDate) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  const std::string sql =
      ReadTextFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "tests/old/store_v2.sql").value();
  {
    auto database = SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
    ASSERT_TRUE(database->Execute(sql));
  }
  for (int opened = 0; opened < 2; ++opened) {  // and stays so
    auto store = OpenSqliteStore(path).value();
    EXPECT_EQ(store->epoch(), "31ea3d7a299a0086");
    EXPECT_EQ(store->ForgottenId().value(), 2U);
    const auto rows = store->Query({}, Order::kOldestFirst, 10).value();
    ASSERT_EQ(rows.size(), 4U + static_cast<size_t>(opened));
    EXPECT_EQ(rows[0].id, 3U);
    EXPECT_EQ(rows[0].detection.device, "bike-7");
    EXPECT_EQ(rows[0].detection.codec, "q3");
    EXPECT_EQ(rows[0].detection.label, "litter");
    EXPECT_EQ(rows[0].detection.lat, 51.0691489);
    EXPECT_GT(rows[0].detection.stages.network, 0);
    EXPECT_TRUE(rows[0].has_thumbnail);
    EXPECT_EQ(store->Thumbnail(3).value().size(), 668U);
    EXPECT_FALSE(rows[1].detection.findings);
    EXPECT_FALSE(rows[1].detection.counts);
    Detection d = rows[1].detection;
    EXPECT_EQ(store->Put(std::span(&d, 1)).value()[0].kind, PutOutcome::kDuplicate);
    Detection gone = rows[0].detection;
    gone.sequence = 0;  // forgotten by the older binary
    EXPECT_EQ(store->Put(std::span(&gone, 1)).value()[0].kind, PutOutcome::kDuplicate);
    d.sequence = 99;
    d.findings = BoxFindings{{{"can", 0.5F, 0, 0, 1, 1}}, 0};
    d.counts = {1, 2, 3};
    EXPECT_EQ(store->Put(std::span(&d, 1)).value()[0].kind,
              opened == 0 ? PutOutcome::kStored : PutOutcome::kDuplicate);
    const auto now = store->Query({}, Order::kNewestFirst, 1).value();
    EXPECT_EQ(now[0].detection.findings, d.findings);
    EXPECT_EQ(now[0].detection.counts, d.counts);
    EXPECT_EQ(store->Stock().value().count, 5U);
  }
}

/// What `act` says, called by somebody who owns nothing here.
std::string AsNobody(const std::function<std::string()>& act) {
  int ends[2];
  if (pipe(ends) != 0) return "cannot pipe";
  const pid_t child = fork();
  if (child == 0) {
    const bool nobody = geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
    const std::string said = nobody ? act() : "cannot become nobody";
    const ssize_t written = write(ends[1], said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    said.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return said;
}

std::vector<std::string> NamesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(SqliteStoreToRead, IsReadWhereNothingMayBeWritten) {
  const TempDir dir;
  const std::filesystem::path folder = dir.path() / "a % b? #c";
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "s.db").string();
  {
    auto store = OpenSqliteStore(path).value();
    const Detection d = SqliteSample(1);
    ASSERT_TRUE(store->Put(std::span(&d, 1)));
  }
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  std::filesystem::permissions(folder, std::filesystem::perms(0555));
  const std::string said = AsNobody([&] {
    auto store = OpenSqliteStore(path, {.read_only = true});
    if (!store) return store.error().ToString();
    const auto rows = (*store)->Query({}, Order::kOldestFirst, 10);
    if (!rows) return rows.error().ToString();
    const Detection d = SqliteSample(2);
    const auto put = (*store)->Put(std::span(&d, 1));
    const auto hexagons = (*store)->Hexagons({}, 3);
    return fmt::format("{} rows, {} hexagons, {}", rows->size(), hexagons->size(),
                       put ? "put" : put.error().message);
  });
  EXPECT_EQ(said, "1 rows, 1 hexagons, was opened to be read, not to be written");
  EXPECT_THAT(NamesIn(folder), ::testing::ElementsAre("s.db"));

  std::filesystem::permissions(folder, std::filesystem::perms(0755));
}

TEST(SqliteStoreToRead, FollowsAWorkerThatWrites) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  auto writer = OpenSqliteStore(path).value();
  auto reader = OpenSqliteStore(path, {.read_only = true}).value();
  EXPECT_EQ(reader->LastId().value(), 0U);
  const Detection d = SqliteSample(1);
  ASSERT_TRUE(writer->Put(std::span(&d, 1)));
  EXPECT_EQ(reader->Query({}, Order::kOldestFirst, 10).value().size(), 1U);
  EXPECT_EQ(reader->epoch(), writer->epoch());
}

TEST(SqliteStoreToRead, CreatesNothingAndOpensNothingElse) {
  const TempDir dir;
  const std::string typo = (dir.path() / "typo.db").string();
  const auto missing = OpenSqliteStore(typo, {.read_only = true});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().where, typo);
  EXPECT_THAT(NamesIn(dir.path()), ::testing::IsEmpty());
  std::ofstream(typo).close();  // empty, which SQLite takes for a database
  EXPECT_THAT(OpenSqliteStore(typo, {.read_only = true}).error().message,
              HasSubstr("holds no store"));
  const std::string pipe = (dir.path() / "pipe.db").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const bool read_only : {false, true}) {
    const auto refused = OpenSqliteStore(pipe, {.read_only = read_only});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().ToString(), pipe + ": is a pipe, not a file");
  }
}

// A map of this version shows a file of an older one, as it lies.
TEST(SqliteStoreToRead, ReadsOlderVersionsAndLeavesThemAsTheyAre) {
  const std::string second =
      ReadTextFile(std::filesystem::path(FOGLINE_SOURCE_DIR) / "tests/old/store_v2.sql").value();
  const std::string third = second +
                            "ALTER TABLE detection ADD COLUMN findings BLOB;"
                            "ALTER TABLE detection ADD COLUMN counts TEXT; PRAGMA user_version = 3";
  for (const auto& [sql, version] :
       {std::pair{std::string(kFirstVersion), 1}, {second, 2}, {third, 3}}) {
    const TempDir dir;
    const std::string path = (dir.path() / "s.db").string();
    auto database = SqliteDatabase::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
    ASSERT_TRUE(database->Execute(sql));
    const auto store = OpenSqliteStore(path, {.read_only = true}).value();
    const auto rows = store->Query({}, Order::kOldestFirst, 10).value();
    EXPECT_EQ(rows.size(), version == 1 ? 3U : 4U);
    EXPECT_EQ(store->Query({.box = Box{}}, Order::kNewestFirst, 10).value().back().id, rows[0].id);
    EXPECT_FALSE(store->Hexagons({}, 3).value().empty());
    EXPECT_EQ(store->Stock().value().count, rows.size());
    EXPECT_EQ(store->LastId().value(), rows.back().id);
    EXPECT_EQ(store->Deletions().value(), 0U);
    EXPECT_EQ(database->QueryInteger("PRAGMA user_version").value(), version);
    // Brought up to date, what it holds is counted, and can go.
    const auto writer = OpenSqliteStore(path, {}).value();
    const ValueTally most = writer->Heaviest(1).value().by_bytes.at(0);
    EXPECT_EQ(most.stored_bytes, most.count * kPlainRowBytes);
    EXPECT_EQ(writer->Delete(std::vector<uint64_t>{rows[0].id}).value(), 1U);
    EXPECT_EQ(writer->Stock().value().count, rows.size() - 1);
  }
}

/// Goes on by so much whenever somebody looks at it, as time does on a machine that is far too
/// slow.
class HastyClock final : public Clock {
 public:
  Nanos Steady() const override { return Nanos(std::chrono::seconds(++looks_)); }
  int64_t WallMicros() const override { return 1'800'000'000'000'000; }

 private:
  mutable std::atomic<int64_t> looks_{0};
};

// What is read within the time of one question stays: the next one reads on. A store that began
// anew each time was never read on a slow machine.
TEST(SqliteStore, AMirrorThatIsNotReadInTimeIsReadOnByTheNextQuestion) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  constexpr uint64_t kRows = 40'000;
  {
    auto store = OpenSqliteStore(path).value();
    std::vector<Detection> batch;
    for (uint64_t i = 0; i < kRows; ++i) {
      batch.push_back(SqliteSample(i));
      batch.back().thumbnail.clear();
    }
    ASSERT_TRUE(store->Put(batch));
  }
  const HastyClock hasty;  // a look is a second, and the time is up
  auto store = OpenSqliteStore(path, {.longest_read = Nanos(0), .clock = &hasty}).value();
  int tries = 1;
  auto line = store->Timeline({}, kNewYear, kNewYear + kRows, 1);
  for (; !line && tries < 100; ++tries) {
    EXPECT_EQ(line.error().code, ErrorCode::kUnavailable) << line.error().ToString();
    EXPECT_THAT(line.error().message, HasSubstr("of 40000 rows so far"));
    line = store->Timeline({}, kNewYear, kNewYear + kRows, 1);
  }
  ASSERT_TRUE(line) << line.error().ToString();
  EXPECT_GT(tries, 2);
  EXPECT_EQ(line->bins[0].count, kRows);
}

// Meanwhile what has been read is counted, and only that.
TEST(SqliteStore, WhatHasBeenReadOfALargeStoreIsCountedAtOnce) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  constexpr uint64_t kRows = 40'000;
  {
    auto store = OpenSqliteStore(path).value();
    std::vector<Detection> batch;
    for (uint64_t i = 0; i < kRows; ++i) {
      batch.push_back(SqliteSample(i));
      batch.back().thumbnail.clear();
    }
    ASSERT_TRUE(store->Put(batch));
  }
  const HastyClock hasty;
  auto store = OpenSqliteStore(path, {.longest_read = Nanos(0), .clock = &hasty}).value();
  std::set<uint64_t> seen;
  for (uint64_t counted = 0; counted < kRows;) {
    counted = store->CountedId().value();
    ASSERT_TRUE(seen.insert(counted).second) << counted;  // each call reads on
    const auto cells = store->Hexagons({.before_id = counted + 1}, 3).value();
    uint64_t total = 0;
    for (const HexCount& cell : cells) total += cell.count;
    EXPECT_EQ(total, counted);
  }
  EXPECT_GT(seen.size(), 2U);
}

TEST(SqliteStore, WithinItsBytesTheFileStopsGrowing) {
  const TempDir dir;
  const auto path = dir.path() / "s.db";
  auto store = OpenSqliteStore(path.string()).value();
  const Retention keep{.bytes = 4 << 20};
  uint64_t stored = 0;
  for (int round = 0; round < 60; ++round) {  // 30 MB of pictures
    std::vector<Detection> batch;
    for (int i = 0; i < 250; ++i) batch.push_back(SqliteSample(stored++));
    ASSERT_TRUE(store->Put(batch));
    while (store->Forget(keep).value().more) {
    }
  }
  EXPECT_LE(std::filesystem::file_size(path), 6U << 20);
  const auto rows = store->Query({}, Order::kNewestFirst, 100'000).value();
  EXPECT_GT(rows.size(), 500U);
  EXPECT_LT(rows.size(), 4000U);
  EXPECT_EQ(rows.front().id, stored);
  EXPECT_EQ(store->Stock().value().count, rows.size());
}

/// Fills a store until it refuses, lets it forget, and goes on, several times over. Returns a
/// complaint, or nothing.
std::string FillAndFree(const std::string& path, uint64_t max_bytes) {
  auto store = OpenSqliteStore(path, {.max_bytes = max_bytes});
  if (!store) return store.error().ToString();
  const Retention keep{.bytes = uint64_t{1} << 30};  // more than the disk has
  if (const auto step = (*store)->Forget(keep); !step) return step.error().ToString();
  uint64_t sequence = 0;
  for (int refusals = 0; refusals < 4;) {
    if (sequence > 100'000) return "never full";
    const Detection d = SqliteSample(sequence);
    const auto outcome = (*store)->Put(std::span(&d, 1));
    if (outcome) {
      if (outcome->at(0).id == 0) return "given no id";
      ++sequence;
      continue;
    }
    if (outcome.error().code != ErrorCode::kExhausted) return outcome.error().ToString();
    ++refusals;
    uint64_t freed = 0;
    for (bool more = true; more;) {
      const auto step = (*store)->Forget(keep);
      if (!step) return "cannot forget: " + step.error().ToString();
      freed += step->rows;
      more = step->more;
    }
    if (freed == 0) return "nothing was forgotten";
  }
  const auto rows = (*store)->Query({}, Order::kNewestFirst, 100'000);
  if (!rows) return rows.error().ToString();
  if (rows->empty() || rows->front().detection.sequence + 1 != sequence)
    return "the newest is not there";
  if ((*store)->Stock()->count != rows->size()) return "the tallies disagree";
  return {};
}

TEST(SqliteStore, AStoreAtItsLimitFreesRoomByItself) {
  const TempDir dir;
  EXPECT_EQ(FillAndFree((dir.path() / "s.db").string(), 1 << 20), "");
}

TEST(SqliteStore, AFullDiskIsFreedByForgetting) {
  const TempDir dir;
  const std::string said = OnASmallDisk(
      dir.path(), "size=24m", [&] { return FillAndFree((dir.path() / "s.db").string(), 0); });
  if (said == "cannot mount") GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(said, "");
}

// What somebody wants gone is not left lying in the file.
TEST(SqliteStore, WhatIsDeletedIsOverwritten) {
  const TempDir dir;
  const auto path = dir.path() / "s.db";
  const std::string secret = "WHATNOBODYMAYSEE";
  {
    const auto store = OpenStore("sqlite:" + path.string()).value();
    std::vector<Detection> batch(50);
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].device = "cam";
      batch[i].sequence = i;
      const auto bytes = std::as_bytes(std::span(secret));
      batch[i].thumbnail.assign(bytes.begin(), bytes.end());
    }
    ASSERT_TRUE(store->Put(batch));
  }
  ASSERT_NE(ReadTextFile(path).value().find(secret), std::string::npos);
  {
    const auto store = OpenStore("sqlite:" + path.string()).value();
    std::vector<uint64_t> ids;
    for (uint64_t id = 1; id <= 50; ++id) ids.push_back(id);
    ASSERT_EQ(store->Delete(ids).value(), 50U);
  }
  EXPECT_EQ(ReadTextFile(path).value().find(secret), std::string::npos);
}

}  // namespace
}  // namespace fogline
