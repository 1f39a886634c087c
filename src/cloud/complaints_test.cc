#include "cloud/complaints.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace fogline {
namespace {

TEST(Complaints, EachNewTroubleIsSaidAndFewOfThemInAPeriod) {
  FakeClock clock;
  Complaints complaints(clock);
  EXPECT_TRUE(complaints.Say("a"));
  EXPECT_FALSE(complaints.Say("a")) << "the same again";
  EXPECT_TRUE(complaints.Say("b"));
  for (uint64_t i = 2; i < Complaints::kMostInPeriod; ++i) {
    EXPECT_TRUE(complaints.Say(fmt::format("{}", i)));
  }
  EXPECT_FALSE(complaints.Say("one more"));
  clock.Advance(Complaints::kPeriod);
  EXPECT_TRUE(complaints.Say("one more"));
}

}  // namespace
}  // namespace fogline
