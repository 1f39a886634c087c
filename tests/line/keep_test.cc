// `fogline cloud --keep…` as a process: it forgets while it stores, says how much, and gives no id
// twice.
#include "tests/line/reliability.h"
#include "vision/folder.h"

namespace fogline {
namespace {

class Keep : public Reliability {
 protected:
  void StartKeeping(const std::vector<std::string>& flags) {
    std::vector<std::string> command{FOGLINE_BINARY,
                                     "cloud",
                                     "--json",
                                     "--broker",
                                     broker_->url(),
                                     "--models",
                                     kModels.string(),
                                     "--store",
                                     "sqlite:" + (dir_.path() / "test.db").string(),
                                     "--workers",
                                     "1"};
    command.insert(command.end(), flags.begin(), flags.end());
    auto started = Process::Start(
        {.command = command, .capture_stdout = true, .stderr_to = dir_.path() / "cloud.log"});
    ASSERT_TRUE(started) << started.error().ToString();
    cloud_process_ = *std::move(started);
  }
  void RunAll(const std::string& device) {
    const auto report =
        RunEdge({"--device", device, "--mechanism", "edge-only", "--report", "all"});
    ASSERT_EQ(status_, 0) << Log();
    ASSERT_EQ(report["stored"], pictures_);
  }
  std::vector<uint64_t> Ids(const std::string& device) {
    std::vector<uint64_t> ids;
    for (const auto& row : Stored(device)) ids.push_back(row.id);
    return ids;
  }

  const size_t pictures_ = ListImages(kPictures)->size();
};

TEST_F(Keep, TheNewestRowsStayAndNoIdIsGivenAgain) {
  constexpr size_t kRows = 7;
  StartKeeping({"--keep-rows", std::to_string(kRows)});
  RunAll("one");
  ASSERT_TRUE(Until([&] { return CountStored() == kRows; })) << CountStored();
  const auto first = Ids("one");
  ASSERT_EQ(first.size(), kRows);
  EXPECT_EQ(first.front(), pictures_ - kRows + 1);
  EXPECT_EQ(first.back(), pictures_);
  RunAll("two");
  ASSERT_TRUE(Until([&] { return CountStored() == kRows; })) << CountStored();
  EXPECT_TRUE(Ids("one").empty());
  EXPECT_EQ(Ids("two").back(), 2 * pictures_);
  EXPECT_EQ(*store_->ForgottenId(), 2 * pictures_ - kRows);
}

TEST_F(Keep, WhatIsOlderThanAskedGoesAwayByItself) {
  const std::string url = "sqlite:" + (dir_.path() / "test.db").string();
  {  // rows of two hours ago, by the clock of who stored them
    FakeClock clock;
    clock.JumpWall(Clock::Real().WallMicros() - int64_t{2} * 3600 * 1'000'000);
    StoreOptions options;
    options.clock = &clock;
    auto earlier = OpenStore(url, options);
    ASSERT_TRUE(earlier) << earlier.error().ToString();
    std::vector<Detection> old(9);
    for (size_t i = 0; i < old.size(); ++i) {
      old[i].device = "old";
      old[i].sequence = i;
      old[i].mechanism = "edge-only";
    }
    ASSERT_TRUE((*earlier)->Put(old));
  }
  StartKeeping({"--keep", "1h"});
  RunAll("new");
  EXPECT_TRUE(Until([&] { return CountStored() == pictures_; })) << CountStored();
  EXPECT_TRUE(Ids("old").empty());
  EXPECT_EQ(Ids("new").size(), pictures_);
  EXPECT_EQ(*store_->ForgottenId(), 9U);
}

}  // namespace
}  // namespace fogline
