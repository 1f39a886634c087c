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

}  // namespace
}  // namespace fogline
