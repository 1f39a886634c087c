#include "cloud/hard_keeper.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

class HardKeeperTest : public ::testing::Test {
 protected:
  HardKeeper& Open(uint64_t limit, double per_hour) {
    auto keeper = HardKeeper::Open({dir_.path() / "hard", limit, per_hour}, clock_);
    EXPECT_TRUE(keeper) << keeper.error().ToString();
    keeper_ = *std::move(keeper);
    return *keeper_;
  }
  HardKeeper::Picture Of(uint64_t sequence, const std::string& label = "litter",
                         bool differs = false) const {
    return {"bike/../7", 0x11, sequence, label, differs, file_, false};
  }
  size_t Files() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path())) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }

  TempDir dir_;
  FakeClock clock_;
  std::vector<std::byte> file_ = std::vector<std::byte>(1000, std::byte{7});
  std::unique_ptr<HardKeeper> keeper_;
};

/// Folders by class, as train reads them, whatever devices and labels are called.
TEST_F(HardKeeperTest, PicturesLieByTheirClass) {
  HardKeeper& keeper = Open(1 << 20, 100);
  keeper.Keep(Of(1));
  keeper.Keep(Of(2, "../clean", true));
  keeper.Keep(Of(2, "../clean", true));  // once more
  EXPECT_EQ(keeper.kept(), 3U);
  EXPECT_EQ(Files(), 2U);
  const auto hard = dir_.path() / "hard";
  EXPECT_TRUE(std::filesystem::exists(
      hard / "litter" / "unsure-bike%2f%2e%2e%2f7-0000000000000011-000000000001.jpg"));
  EXPECT_TRUE(std::filesystem::exists(
      hard / "%2e%2e%2fclean" / "differs-bike%2f%2e%2e%2f7-0000000000000011-000000000002.jpg"));
  const auto classes = ListImageClasses(hard);
  ASSERT_TRUE(classes) << classes.error().ToString();
  EXPECT_EQ(classes->size(), 2U);
}

TEST_F(HardKeeperTest, NoMoreThanTheLimitIncludingWhatLayThere) {
  Open(2500, 100).Keep(Of(1));
  HardKeeper& keeper = Open(2500, 100);
  for (uint64_t i = 2; i < 6; ++i) keeper.Keep(Of(i));
  EXPECT_EQ(keeper.kept(), 1U);
  EXPECT_EQ(keeper.left_out(), 3U);
  EXPECT_EQ(Files(), 2U);
  keeper.Keep(Of(1));  // in its own place there is room
  EXPECT_EQ(keeper.kept(), 2U);
}

TEST_F(HardKeeperTest, NoMoreThanSoManyAnHour) {
  HardKeeper& keeper = Open(1 << 20, 10);
  for (uint64_t i = 0; i < 30; ++i) keeper.Keep(Of(i));
  EXPECT_EQ(keeper.kept(), 10U);
  EXPECT_EQ(keeper.left_out(), 20U);
  clock_.Advance(30min);
  for (uint64_t i = 30; i < 60; ++i) keeper.Keep(Of(i));
  EXPECT_EQ(keeper.kept(), 15U);
}

}  // namespace
}  // namespace fogline
