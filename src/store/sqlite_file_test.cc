#include "store/sqlite_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>

#include "base/file.h"
#include "store/sqlite_store.h"

namespace fogline {
namespace {

// A file on a medium that is read-only for us and that somebody else writes all the same: what was
// read without locks would be wrong by now.
TEST(SqliteFileToRead, SaysWhenSomebodyWritesWhatLayStill) {
  const TempDir dir;
  const auto real = dir.path() / "real", seen = dir.path() / "seen";
  std::filesystem::create_directories(real);
  std::filesystem::create_directories(seen);
  { auto store = OpenSqliteStore((real / "s.db").string()).value(); }
  if (mount(real.c_str(), seen.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      mount(nullptr, seen.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
    umount2(seen.c_str(), MNT_DETACH);
    GTEST_SKIP() << "mounting is not allowed here";
  }
  {
    const auto file = SqliteFileToRead::Find((seen / "s.db").string());
    EXPECT_TRUE(file) << file.error().ToString();
    if (file) {
      EXPECT_TRUE(file->Check());
      const auto writer = OpenSqliteStore((real / "s.db").string()).value();
      const Status now = file->Check();
      ASSERT_FALSE(now);
      EXPECT_EQ(now.error().code, ErrorCode::kUnavailable);
      EXPECT_THAT(now.error().message, testing::HasSubstr("is being written by now"));
    }
  }
  umount2(seen.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace fogline
