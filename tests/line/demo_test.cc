// The demo as a process, where something is wrong: it ends as failed, and the line that says why is
// the edge's own.
#include <algorithm>
#include <set>

#include "tests/cli/command.h"
#include "tests/line/line.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

TEST(Demo, WhenAnEdgeFailsItFailsWithTheEdgesOwnLine) {
  const TempDir dir;
  const auto pictures = dir.path() / "pictures";
  std::filesystem::create_directory(pictures);
  ASSERT_TRUE(WriteFile(pictures / "a.jpg", std::string("no picture\n")));
  const auto outcome =
      RunCommand({"demo", "--once", "--json", "--images", pictures.string()}, dir.path());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  const auto end = outcome.log.find_last_of('\n', outcome.log.size() - 2);
  EXPECT_THAT(outcome.log.substr(end + 1),
              ::testing::AllOf(HasSubstr("fogline: demo-"), HasSubstr("ended with status 1"),
                               HasSubstr("none of 1 pictures could be read")));
}

TEST(Demo, WhatItCannotUseIsOneLineBeforeAnythingStarts) {
  const TempDir dir;
  ExpectOneLine(RunCommand({"demo", "--once", "--cut", "nosuch"}, dir.path()),
                "has no tensor 'nosuch' to cut at");
  ExpectOneLine(
      RunCommand({"demo", "--once", "--images", (dir.path() / "none").string()}, dir.path()),
      "none");
}

/// As docs/operations.md has it: several workers and more devices than mechanisms on one
/// PostgreSQL.
TEST(Demo, TenDevicesAndTwoWorkersShareAPostgres) {
  const TempDir dir;
  const auto pictures = dir.path() / "pictures";
  std::filesystem::create_directory(pictures);
  for (const char* name : {"walk_01.jpg", "walk_02.jpg"}) {
    std::filesystem::copy_file(kPictures / name, pictures / name);
  }
  const auto outcome =
      RunCommand({"demo", "--once", "--json", "--store", "postgresql", "--clouds", "2", "--devices",
                  "10", "--rate", "0", "--port", "0", "--images", pictures.string()},
                 dir.path());
  ASSERT_EQ(outcome.status, 0) << outcome.log;
  const auto report = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(report["mechanisms"].size(), 10U);
  std::set<std::string> devices;
  for (const auto& mechanism : report["mechanisms"]) {
    devices.insert(mechanism["device"].get<std::string>());
    EXPECT_EQ(mechanism["images"], 2) << mechanism.dump();
    EXPECT_EQ(mechanism["stored"], mechanism["sent"]) << mechanism.dump();
  }
  EXPECT_EQ(devices.size(), 10U);
}

}  // namespace
}  // namespace fogline
