#include "web/timeline_cache.h"

#include <gtest/gtest.h>

#include "store/forwarding_store.h"

namespace fogline {
namespace {

using std::chrono::seconds;

constexpr int64_t kStart = 1'767'225'600'000'000;

/// Counts what of a store is counted.
class CountedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    ++(filter.after_id > 0 ? scans_of_new : scans);
    return ForwardingStore::Timeline(filter, from_us, to_us, bins);
  }
  int scans = 0, scans_of_new = 0;
};

class TimelineCacheTest : public ::testing::Test {
 protected:
  void Put(int64_t at_us, TimeSource source = TimeSource::kClock) {
    Detection d;
    d.device = "cam";
    d.mechanism = "split";
    d.sequence = sequence_++;
    d.captured_us = kStart + at_us;
    d.captured_from = source;
    ASSERT_TRUE(store_->Put(std::span(&d, 1)));
  }
  uint64_t Total(const Filter& filter = {}, size_t bins = 120) {
    const auto line = cache_.Count(filter, bins).value();
    uint64_t total = 0;
    for (const TimeBin& bin : line->counts.bins) total += bin.count;
    return total;
  }

  FakeClock clock_;
  std::unique_ptr<Store> store_ = OpenStore("sqlite::memory:").value();
  CountedStore counted_{*store_};
  TimelineCache cache_{counted_, clock_};
  uint64_t sequence_ = 0;
};

// A hundred maps on one screenful each, a row a tenth of a second: the whole store is read no
// oftener than once in two seconds, not a hundred times a row.
TEST_F(TimelineCacheTest, ManyWhoAskCostNoMoreThanOne) {
  for (int64_t i = 0; i < 1000; ++i) Put(i * 1'000'000);
  EXPECT_EQ(Total(), 1000U);
  const int at_first = counted_.scans;
  EXPECT_LE(at_first, 2);  // the ends of the line, and the line
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Total(), 1000U);
  EXPECT_EQ(counted_.scans, at_first);
  EXPECT_EQ(counted_.scans_of_new, 0);
  for (int64_t row = 0; row < 100; ++row) {
    Put((1000 + row) * 1'000'000);
    clock_.Advance(std::chrono::milliseconds(100));
    for (int i = 0; i < 100; ++i) Total();
  }
  EXPECT_LE(counted_.scans - at_first, 5);    // 10 s
  EXPECT_LE(counted_.scans_of_new, 2 * 100);  // of one row each
  clock_.Advance(seconds(2));
  EXPECT_EQ(Total(), 1100U);
}

// As the line grows with what arrives it gets some length to spare.
TEST_F(TimelineCacheTest, ALineThatGrowsIsSeldomCountedAnew) {
  for (int64_t i = 0; i < 100; ++i) Put(i * 1'000'000);
  Total();
  const uint64_t at_first = cache_.whole_counts();
  for (int64_t i = 100; i < 1000; ++i) {
    Put(i * 1'000'000);
    clock_.Advance(seconds(1));
    Total();
  }
  clock_.Advance(seconds(2));
  EXPECT_EQ(Total(), 1000U);
  EXPECT_LE(cache_.whole_counts() - at_first, 50U);
}

TEST_F(TimelineCacheTest, CarriedOnIsTheSameAsCountedAnew) {
  uint64_t random = 1;
  const auto draw = [&](uint64_t below) {
    random = random * 6364136223846793005 + 1442695040888963407;
    return (random >> 33) % below;
  };
  for (int round = 0; round < 300; ++round) {
    for (uint64_t n = draw(4); n > 0; --n) {
      Put(static_cast<int64_t>(draw(1'000'000'000)),
          draw(5) == 0 ? TimeSource::kNone : TimeSource::kGps);
    }
    if (draw(40) == 0) {
      ASSERT_TRUE(store_->Forget({.rows = 50}));
    }
    clock_.Advance(seconds(31));  // nothing is held back for longer
    Filter filter;
    if (draw(2) == 0) filter.from_us = kStart + 100'000'000;
    if (draw(2) == 0) filter.to_us = kStart + 700'000'000;
    const auto line = cache_.Count(filter, 7).value();
    Filter untimed = filter;
    untimed.from_us = Filter().from_us;
    untimed.to_us = Filter().to_us;
    const auto fresh = store_->Timeline(untimed, line->from_us, line->to_us, 7).value();
    EXPECT_EQ(line->counts.untimed, fresh.untimed);
    for (size_t bin = 0; bin < 7; ++bin) {
      EXPECT_EQ(line->counts.bins[bin].count, fresh.bins[bin].count) << round;
    }
    EXPECT_EQ(cache_.Untimed(filter).value(), fresh.untimed);
  }
}

TEST_F(TimelineCacheTest, LinesBeyondALimitAreLetGo) {
  for (int64_t i = 0; i < 10; ++i) Put(i);
  for (int i = 0; i < 1000; ++i) Total({.min_score = static_cast<float>(i) / 1000});
  const uint64_t counts = cache_.whole_counts();
  Total({.min_score = 0.999F});  // the newest are there
  EXPECT_EQ(cache_.whole_counts(), counts);
}

TEST_F(TimelineCacheTest, AClockGoneWrongDoesNotBreakTheLine) {
  Put(0);
  Put(std::numeric_limits<int64_t>::max() - kStart);
  const auto line = cache_.Count({}, 10).value();
  EXPECT_EQ(line->from_us, kStart);
  EXPECT_GT(line->to_us, line->from_us);
  EXPECT_EQ(line->counts.bins[0].count, 1U);
}

}  // namespace
}  // namespace fogline
