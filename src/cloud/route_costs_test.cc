#include "cloud/route_costs.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

TEST(RouteCosts, FollowWhatIsMeasuredForEachRoute) {
  RouteCosts costs;
  EXPECT_EQ(costs.Expected({1, 1}), RouteCosts::kUnknownUs);
  costs.Measured({1, 1}, 50);
  costs.Measured({1, 2}, 8000);
  EXPECT_EQ(costs.Expected({1, 1}), 50);
  EXPECT_EQ(costs.Expected({1, 2}), 8000);
  costs.Measured({1, 1}, 66);
  EXPECT_EQ(costs.Expected({1, 1}), 51) << "one frame that took long is no new rule";
  for (int i = 0; i < 200; ++i) costs.Measured({1, 1}, 100);
  EXPECT_NEAR(costs.Expected({1, 1}), 100, 0.1);
}

TEST(RouteCosts, RemembersABoundedNumber) {
  RouteCosts costs;
  for (uint64_t cut = 0; cut <= RouteCosts::kMostRoutes; ++cut) costs.Measured({1, cut}, 1);
  EXPECT_EQ(costs.Expected({1, 0}), RouteCosts::kUnknownUs);
  EXPECT_EQ(costs.Expected({1, RouteCosts::kMostRoutes}), 1);
}

}  // namespace
}  // namespace fogline
