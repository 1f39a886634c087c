// What is particular to SQLite: files, crashes, full disks.
#include "store/sqlite_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/file.h"
#include "store/sqlite_handle.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

Detection Sample(uint64_t sequence) {
  Detection d;
  d.device = "cam";
  d.sequence = sequence;
  d.captured_us = static_cast<int64_t>(sequence);
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
    const Detection d = Sample(1);
    id = store->Put(std::span(&d, 1)).value()[0].id;
  }
  auto store = OpenSqliteStore(path).value();
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(store->LastId().value(), id);
  const Detection d = Sample(1);
  EXPECT_EQ(store->Put(std::span(&d, 1)).value()[0].kind, PutOutcome::kDuplicate);
}

TEST(SqliteStore, TwoProcessesMayShareAFile) {
  const TempDir dir;
  const std::string path = (dir.path() / "s.db").string();
  auto one = OpenSqliteStore(path).value();
  auto two = OpenSqliteStore(path).value();
  const Detection a = Sample(1);
  const Detection b = Sample(2);
  ASSERT_TRUE(one->Put(std::span(&a, 1)));
  EXPECT_EQ(two->Put(std::span(&a, 1)).value()[0].kind, PutOutcome::kDuplicate);
  ASSERT_TRUE(two->Put(std::span(&b, 1)));
  EXPECT_EQ(one->Query({}, Order::kOldestFirst, 9).value().size(), 2U);
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
      const std::vector<Detection> batch{Sample(i), Sample(i + 1)};
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
    const Detection d = Sample(confirmed);
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

TEST(SqliteStore, AFullDiskRefusesAndKeepsWhatItHas) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
  const TempDir dir;
  int complaint[2];
  ASSERT_EQ(pipe(complaint), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // its own mount namespace: the disk goes away with it
    std::string said = "cannot mount";
    if (unshare(CLONE_NEWNS) == 0 && mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=4m") == 0) {
      said = FillUp((dir.path() / "s.db").string(), 0);
    }
    (void)!write(complaint[1], said.data(), said.size());
    _exit(0);
  }
  close(complaint[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n = 0; (n = read(complaint[0], buffer, sizeof(buffer))) > 0;) said.append(buffer, n);
  close(complaint[0]);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  if (said == "cannot mount") GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(said, "");
}

}  // namespace
}  // namespace fogline
