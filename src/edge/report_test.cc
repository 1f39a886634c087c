#include "edge/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace fogline {
namespace {

using testing::HasSubstr;

EdgeReport ReportOf(const char* device, uint64_t images, uint64_t stored) {
  EdgeReport report;
  report.device = device;
  report.images = images;
  report.stored = stored;
  return report;
}

TEST(EdgeReport, TheTotalIsTheSumOfEveryCount) {
  EdgeReport a = ReportOf("a", 0, 0), b = ReportOf("b", 0, 0);
  std::set<std::string> keys;
  uint64_t n = 0;
  for (const EdgeCount& count : EdgeCounts()) {
    EXPECT_TRUE(keys.insert(count.key).second) << count.key;
    a.*count.count = ++n;
    b.*count.count = 1000 * n;
  }
  a.bytes_mean = 100;
  b.bytes_mean = 200;
  const EdgeReport total = Total(std::vector{a, b});
  n = 0;
  for (const EdgeCount& count : EdgeCounts())
    EXPECT_EQ(total.*count.count, 1001 * ++n) << count.key;
  EXPECT_NEAR(total.bytes_mean, 200, 0.2) << "weighed by frames";
}

TEST(EdgeReport, OneSourceThatFailedFailsTheRun) {
  const EdgeReport good = ReportOf("good", 5, 5);
  EdgeReport gone = ReportOf("gone", 0, 0), refused = ReportOf("refused", 5, 4);
  gone.failed = Error{ErrorCode::kNotFound, "/dev/video9", "is not there"};
  refused.refused = 1;
  EXPECT_TRUE(Outcome(std::vector{good, good}));
  EXPECT_TRUE(Outcome(std::vector<EdgeReport>{}));
  const Status one = Outcome(std::vector{good, gone, good});
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(one.error().ToString(), "gone: /dev/video9: is not there");
  const Status both = Outcome(std::vector{refused, gone});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(both.error().ToString(),
              HasSubstr("refused: frames that are not stored: 1 refused; gone"));
  // By itself it says what it says today.
  EXPECT_EQ(Outcome(std::vector{gone}).error().ToString(), "/dev/video9: is not there");
}

}  // namespace
}  // namespace fogline
