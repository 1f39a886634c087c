// fogline store, as a process: what it says, and what it refuses.
#include <nlohmann/json.hpp>

#include "store/store.h"
#include "tests/cli/command.h"

namespace fogline {
namespace {

class StoreCommands : public ::testing::Test {
 protected:
  Outcome Copy(const std::string& from, const std::string& to, const std::string& more = "--json") {
    return RunCommand({"store", "copy", from, to, more}, dir_.path());
  }
  std::string File(const std::string& name) const {
    return "sqlite:" + (dir_.path() / name).string();
  }

  TempDir dir_;
};

TEST_F(StoreCommands, CopyMovesRowsAndSaysWhatItDid) {
  {
    const auto store = OpenStore(File("a.db")).value();
    std::vector<Detection> batch(20);
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].device = "cam";
      batch[i].sequence = i;
    }
    ASSERT_TRUE(store->Put(batch));
  }
  const Outcome first = Copy(File("a.db"), File("b.db"));
  ASSERT_EQ(first.status, 0) << first.log;
  const auto told = nlohmann::json::parse(first.out);
  EXPECT_EQ(told["copied"], 20);
  EXPECT_EQ(told["compared"], 20);
  EXPECT_EQ(told["end"], 20);
  EXPECT_EQ(OpenStore(File("b.db")).value()->Stock().value().count, 20U);
  const Outcome again = Copy(File("a.db"), File("b.db"), "--verbose");
  EXPECT_EQ(again.status, 0) << again.log;
  EXPECT_THAT(again.out, HasSubstr("copied 0 rows, up to id 20"));
  EXPECT_THAT(again.out, HasSubstr(told["sha256"].get<std::string>()));
}

TEST_F(StoreCommands, CopyRefusesWhatItCannotDo) {
  ExpectOneLine(Copy(File("none.db"), File("b.db")), "none.db: ");
  EXPECT_FALSE(fs::exists(dir_.path() / "none.db"));
  EXPECT_FALSE(fs::exists(dir_.path() / "b.db"));
  ASSERT_TRUE(OpenStore(File("a.db")));
  ExpectOneLine(Copy(File("a.db"), File("a.db")), "they are one store");
  ExpectOneLine(Copy(File("a.db"), "postgresql://u:secret@127.0.0.1:1/city"), "127.0.0.1:1");
  ExpectOneLine(Copy(File("a.db"), "mysql://x/y"), "is no store", 2);
  ExpectOneLine(RunCommand({"store", "copi"}, dir_.path()), "did you mean 'copy'", 2);
}

TEST_F(StoreCommands, DeleteSaysFirstAndDeletesWhenAsked) {
  const auto store = OpenStore(File("a.db")).value();
  std::vector<Detection> batch(20);
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].device = i % 4 == 0 ? "cam-3" : "cam-1";
    batch[i].sequence = i;
    batch[i].captured_us = 1'772'323'200'000'000 + static_cast<int64_t>(i) * 3'600'000'000;
  }
  ASSERT_TRUE(store->Put(batch));
  const auto run = [&](const std::string& where, const std::vector<std::string>& more) {
    std::vector<std::string> command{"store", "delete", File("a.db"), "--where", where};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command, dir_.path());
  };
  const std::string where = "device=cam-3&from=2026-03-01T04:00:00Z&to=2026-03-01T16:00:00Z";
  const Outcome shown = run(where, {});
  ASSERT_EQ(shown.status, 0) << shown.log;
  EXPECT_THAT(shown.out, HasSubstr("would delete 3 of 20 rows, ids 5 to 13"));
  EXPECT_THAT(shown.out, HasSubstr("from 2026-03-01T04:00:00.000Z to 2026-03-01T12:00:00.000Z"));
  EXPECT_THAT(shown.out, HasSubstr("--yes"));
  EXPECT_EQ(store->Stock().value().count, 20U);
  const Outcome done = run(where, {"--yes", "--json"});
  ASSERT_EQ(done.status, 0) << done.log;
  const auto told = nlohmann::json::parse(done.out);
  EXPECT_EQ(told["rows"], 3);
  EXPECT_EQ(told["deleted"], true);
  EXPECT_EQ(told["devices"]["cam-3"], 3);
  EXPECT_EQ(store->Stock().value().count, 17U);
  const Outcome day = run("to=2026-03-02", {});
  EXPECT_THAT(day.out, HasSubstr("would delete 17 of 17")) << day.log;
}

TEST_F(StoreCommands, DeleteRefusesWhatItCannotDo) {
  ASSERT_TRUE(OpenStore(File("a.db")));
  const auto run = [&](const std::string& store, const std::string& where) {
    return RunCommand({"store", "delete", store, "--where", where, "--yes"}, dir_.path());
  };
  ExpectOneLine(run(File("none.db"), "device=a"), "none.db");
  ExpectOneLine(run(File("a.db"), ""), "lets every row pass", 2);
  ExpectOneLine(run(File("a.db"), "devise=a"), "did you mean 'device'", 2);
  ExpectOneLine(run(File("a.db"), "from=yesterday"), "a date as 2026-03-01", 2);
  ExpectOneLine(RunCommand({"store", "delete", File("a.db")}, dir_.path()), "--where", 2);
}

}  // namespace
}  // namespace fogline
