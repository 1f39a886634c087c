#include "cost/fleet_plan.h"

#include <gmock/gmock.h>

#include "cost/sweep.h"

namespace fogline {
namespace {

using testing::HasSubstr;

FleetOption Option(const std::string& name, double euro, double edge_ms, double cloud_ms,
                   double bytes) {
  FleetOption o;
  o.name = name;
  o.edge.name = "board";
  o.edge.purchase = Euro(euro);
  o.edge.power = Power{Watts(2), Watts(5), ""};
  o.edge_ms = edge_ms;
  o.cloud_ms = cloud_ms;
  o.bytes = bytes;
  return o;
}

/// `groups` groups of three options each, with prices that make the choices interact.
Fleet MakeFleet(int groups, double devices, double baseline, double surplus) {
  Fleet fleet;
  fleet.where = "fleet.toml";
  fleet.euro_per_kwh = 0.2;
  fleet.pool.rent.price = EuroPerHour(0.05);
  fleet.pool.rent.vcpus = 2;
  fleet.pool.rent.baseline = baseline;
  fleet.pool.rent.surplus = EuroPerHour(surplus);
  fleet.pool.cap = 0.8;
  for (int g = 0; g < groups; ++g) {
    FleetGroup group;
    group.name = "g" + std::to_string(g);
    group.devices = devices + 3 * g;
    group.images_per_second = 0.5 + 0.3 * g;
    group.target_ms = 250;
    group.link.up = group.link.down = MegabitsPerSecond(10);
    group.link.price = EuroPerGigabyte(0.01 * g);
    group.options = {Option("cloud", 40, 2, 40 + 5 * g, 6000), Option("mid", 50, 60, 15, 2000),
                     Option("edge", 80, 140, 1, 100)};
    fleet.groups.push_back(std::move(group));
  }
  return fleet;
}

double PriceByHand(const Fleet& fleet, const std::vector<size_t>& choice) {
  const PoolUse use = UsePool(fleet, choice);
  if (!use.feasible) return 1e300;
  double sum = use.euro_month;
  for (size_t g = 0; g < choice.size(); ++g) {
    const FleetGroup& group = fleet.groups[g];
    sum += group.devices * PrivateBill(fleet, group, group.options[choice[g]]).total();
  }
  return sum;
}

TEST(FleetPlan, EqualsBruteForceOnSmallFleets) {
  for (const double devices : {1.0, 7.0, 40.0, 300.0}) {
    for (const double baseline : {1.0, 0.2}) {
      for (const double surplus : {0.0, 0.02, 0.2}) {
        const Fleet fleet = MakeFleet(4, devices, baseline, surplus);
        double best = 1e300;
        for (int code = 0; code < 81; ++code) {
          std::vector<size_t> choice;
          for (int g = 0, rest = code; g < 4; ++g, rest /= 3) choice.push_back(rest % 3);
          best = std::min(best, PriceByHand(fleet, choice));
        }
        const auto plan = PlanFleet(fleet);
        ASSERT_TRUE(plan) << plan.error().ToString();
        EXPECT_NEAR(plan->euro_month, best, 1e-9 * best);
        EXPECT_TRUE(plan->exact);
        EXPECT_LE(plan->lower_bound, plan->euro_month * (1 + 1e-12));
        EXPECT_GE(plan->uniform_euro_month, plan->euro_month * (1 - 1e-12));
        double bills = 0;
        for (size_t g = 0; g < plan->bills.size(); ++g) {
          bills += plan->bills[g].total() * fleet.groups[g].devices;
        }
        EXPECT_NEAR(bills, plan->euro_month, 1e-9 * best);
      }
    }
  }
}

TEST(FleetPlan, AMillionDevicesTakeFewSteps) {
  const auto plan = PlanFleet(MakeFleet(5, 200000, 0.1, 0.046));
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->exact);
  EXPECT_LT(plan->searched, 1000);
  EXPECT_LT(plan->euro_month / plan->lower_bound, 1.01);
}

TEST(FleetPlan, WithoutTimeToSearchTheBoundStands) {
  const Fleet fleet = MakeFleet(5, 40, 1, 0);
  const auto exact = PlanFleet(fleet), hasty = PlanFleet(fleet, 8);
  ASSERT_TRUE(exact && hasty);
  EXPECT_FALSE(hasty->exact);
  EXPECT_GE(hasty->euro_month, exact->euro_month);
  EXPECT_LE(hasty->lower_bound, exact->euro_month);
}

TEST(FleetPlan, ThePoolKeepsItsLimits) {
  Fleet fleet = MakeFleet(2, 500, 1, 0);
  const PoolUse use = UsePool(fleet, {0, 0});
  ASSERT_TRUE(use.feasible);
  EXPECT_LE(use.cores / (use.instances * 2), 0.8 + 1e-9);
  for (const FleetGroup& g : fleet.groups) {
    EXPECT_LE(ServiceLatencyMs(g, g.options[0]) + use.wait_p95_ms, g.target_ms + 1e-6);
  }
  // Credits without surplus: a fifth of each core on average.
  fleet.pool.rent.baseline = 0.2;
  const PoolUse credits = UsePool(fleet, {0, 0});
  EXPECT_LE(credits.cores / (credits.instances * 2), 0.2 + 1e-9);
  EXPECT_EQ(credits.surplus_euro, 0);
  // As the paper: credits ignored.
  fleet.pool.ignore_credits = true;
  EXPECT_EQ(UsePool(fleet, {0, 0}).instances, use.instances);
}

TEST(FleetPlan, ImpossibleTargetsSayWhatWouldDo) {
  Fleet fleet = MakeFleet(1, 10, 1, 0);
  fleet.groups[0].target_ms = 30;
  auto plan = PlanFleet(fleet);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().ToString(), HasSubstr("no option keeps to target_ms = 30; 'cloud'"));
  EXPECT_THAT(plan.error().ToString(), HasSubstr("would with 46.9 or more"));
  fleet.groups[0].images_per_second = 1000;
  plan = PlanFleet(fleet);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().ToString(), HasSubstr("no option sustains images_per_second = 1000"));
}

TEST(Sweep, FindsWhereTheStrongerOptionPaysForItself) {
  Fleet fleet = MakeFleet(1, 1000, 1, 0);
  fleet.groups[0].target_ms = 0;
  fleet.groups[0].options.erase(fleet.groups[0].options.begin() + 1);
  const Sweep sweep = RunSweep(fleet, {{"rate", 0.01, 5}});
  ASSERT_EQ(sweep.points.size(), 9U);
  ASSERT_GE(sweep.break_evens.size(), 1U);
  // On either side of the answer the cheaper one is the one it names.
  const double at = sweep.break_evens[0].at;
  for (const double factor : {0.99, 1.01}) {
    Fleet near = fleet;
    ApplyAxis({"rate", 0, 0}, at * factor, near);
    const bool edge = PriceByHand(near, {1}) < PriceByHand(near, {0});
    EXPECT_EQ(edge, factor > 1);
  }
}

TEST(Sweep, AxesAreChecked) {
  EXPECT_TRUE(ParseSweepAxis("devices=100:1e6"));
  EXPECT_THAT(ParseSweepAxis("rat=1:2").error().message, HasSubstr("did you mean 'rate'"));
  EXPECT_FALSE(ParseSweepAxis("rate=2:1"));
  EXPECT_FALSE(ParseSweepAxis("rate=0:1"));
  EXPECT_FALSE(ParseSweepAxis("rate"));
  EXPECT_FALSE(ParseSweepAxis("rate=1:nan"));
}

}  // namespace
}  // namespace fogline
