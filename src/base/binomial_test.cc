#include "base/binomial.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

// Reference values by R's qbeta and pbinom.
TEST(Binomial, BoundsAreClopperAndPearsons) {
  EXPECT_NEAR(ChanceAtMost(0, 299, 0.95), 0.0099692, 1e-6);
  EXPECT_NEAR(ChanceAtMost(3, 100, 0.975), 0.0851761, 1e-6);
  EXPECT_NEAR(ChanceAtLeast(3, 100, 0.975), 0.0062297, 1e-6);
  EXPECT_NEAR(BinomialAtMost(2, 10, 0.3), 0.3827828, 1e-7);
  EXPECT_DOUBLE_EQ(ChanceAtMost(0, 0, 0.95), 1);
  EXPECT_DOUBLE_EQ(ChanceAtMost(7, 7, 0.95), 1);
  EXPECT_DOUBLE_EQ(ChanceAtLeast(0, 0, 0.95), 0);
  EXPECT_NEAR(ChanceAtLeast(0, 50, 0.95), 0, 1e-12);
}

TEST(Binomial, HoldsFarFromTheMiddle) {
  EXPECT_NEAR(BinomialAtMost(99, 1'000'000, 1e-4), 0.4867, 2e-3);  // Poisson of 100
  EXPECT_LT(BinomialAtMost(0, 1'000'000, 0.5), 1e-300);
}

TEST(Binomial, SaysHowManyWouldDo) {
  EXPECT_EQ(TrialsFor(0.01, 0.95), 299);
  EXPECT_EQ(TrialsFor(0.05, 0.95), 59);
  for (const double p : {0.003, 0.01, 0.02, 0.5}) {
    const int64_t enough = TrialsFor(p, 0.95);
    EXPECT_LE(ChanceAtMost(0, enough, 0.95), p + 1e-12);
    EXPECT_GT(ChanceAtMost(0, enough - 1, 0.95), p);
  }
}

}  // namespace
}  // namespace fogline
