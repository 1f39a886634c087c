#include "store/retention.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

using std::chrono::microseconds;

constexpr int64_t kNow = 1'000'000;
constexpr microseconds kAge{1000};

/// Of rows 1, 2, 3 … with these ages; negative: from the future.
uint64_t TooOld(const std::vector<int64_t>& ages, int* reads = nullptr) {
  const auto read = [&](uint64_t from, size_t most) -> Result<std::vector<StoredAt>> {
    if (reads != nullptr) ++*reads;
    std::vector<StoredAt> rows;
    for (size_t i = from == 0 ? 0 : from - 1; i < ages.size() && rows.size() < most; ++i) {
      rows.push_back({i + 1, kNow - ages[i]});
    }
    return rows;
  };
  return LastTooOld(read, kAge, kNow).value();
}

TEST(LastTooOld, GoesByTheOrderInWhichRowsWereStored) {
  EXPECT_EQ(TooOld({}), 0U);
  EXPECT_EQ(TooOld({999, 5, 1}), 0U);
  EXPECT_EQ(TooOld({1000, 999}), 1U);
  EXPECT_EQ(TooOld({3000, 2000, 1500, 10}), 3U);
  EXPECT_EQ(TooOld(std::vector<int64_t>(1000, 5000)), kForgetRows);
}

TEST(LastTooOld, AClockThatWasBehindTakesNoRowWithIt) {
  EXPECT_EQ(TooOld({500, kNow, 400}), 0U);  // stamped 1970, between two young ones
  EXPECT_EQ(TooOld({2000, 500, kNow, 400}), 1U);
}

TEST(LastTooOld, AClockThatWasAheadHoldsUpNothing) {
  EXPECT_EQ(TooOld({-5, 2000, 400}), 2U);
  EXPECT_EQ(TooOld({2000, -5, -5, 1500, 400}), 4U);
  EXPECT_EQ(TooOld({-5, 400}), 0U);
  EXPECT_EQ(TooOld({-5, -5}), 0U);  // nothing says when: kept
  std::vector<int64_t> ages(100'000, -5);
  ages.resize(300'000, 2000);
  int reads = 0;
  EXPECT_EQ(TooOld(ages, &reads), kForgetRows);
  EXPECT_LE(reads, 20);
}

TEST(Pressure, AsksForATwentiethLessThanWasTooMuch) {
  Pressure pressure;
  const Retention keep{.bytes = 1000};
  EXPECT_FALSE(pressure.Wants(1000, keep));
  EXPECT_TRUE(pressure.Wants(1001, keep));
  pressure.Full();
  EXPECT_TRUE(pressure.Wants(800, keep));  // though within the limit: the disk is smaller
  EXPECT_TRUE(pressure.Wants(761, keep));
  EXPECT_FALSE(pressure.Wants(760, keep));
  EXPECT_FALSE(pressure.Wants(900, keep));
  pressure.Full();
  EXPECT_FALSE(pressure.Wants(900, Retention{.rows = 5}));  // bytes are not the operator's wish
}

TEST(NameBlocks, FitInAQuarterOfTheBytes) {
  EXPECT_EQ(MostNameBlocks({.bytes = 1 << 20}), 1024U);
  EXPECT_GT(MostNameBlocks({.rows = 1}), uint64_t{1} << 60);
}

}  // namespace
}  // namespace fogline
