#include "edge/route_chooser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace fogline {
namespace {

const std::vector<PricedRoute> kRoutes{{.edge_ms = 2, .bytes = 4000, .cloud_ms = 4},
                                       {.edge_ms = 30, .bytes = 1000, .cloud_ms = 2},
                                       {.edge_ms = 60, .bytes = 200, .cloud_ms = 0}};

/// A line that does what it is told: each picture is answered before the next one comes.
class World {
 public:
  explicit World(std::vector<PricedRoute> routes = kRoutes)
      : routes_(std::move(routes)), chooser_(routes_) {}

  RouteChooser::Pick Picture() {
    const auto pick = chooser_.Next(now_);
    const PricedRoute& route = routes_[pick.route];
    chooser_.Sent(pick.ticket, now_ + route.edge_ms, false);
    RouteChooser::Answer answer{pick.ticket, route.bytes, now_ + route.edge_ms, 0, 0.0, 0};
    const double network = delay_ms + route.bytes * ms_per_byte;
    const double cloud = route.cloud_ms * stretch;
    answer.network_ms = tells_load ? network : network + cloud;
    answer.cloud_ms = tells_load ? cloud : 0;
    answer.answered_ms = answer.sent_ms + network + cloud;
    chooser_.Heard(answer);
    now_ += 500;
    return pick;
  }
  /// The route of most of the next pictures.
  size_t Usual(int pictures = 40) {
    std::vector<int> count(routes_.size());
    for (int i = 0; i < pictures; ++i) ++count[Picture().route];
    return static_cast<size_t>(std::ranges::max_element(count) - count.begin());
  }

  double delay_ms = 20, ms_per_byte = 0.001, stretch = 1;
  bool tells_load = true;
  double now_ = 0;
  std::vector<PricedRoute> routes_;
  RouteChooser chooser_;
};

TEST(RouteChooser, BeginsWithTheSmallestAndFindsWhatIsCheapest) {
  // Where each route is the cheapest: 28 ms for 3,000 bytes, 30 for 800.
  for (const auto& [ms_per_byte, route] :
       {std::pair{0.0001, 0U}, {0.001, 0U}, {0.005, 0U}, {0.02, 1U}, {0.1, 2U}, {1.0, 2U}}) {
    World world;
    world.ms_per_byte = ms_per_byte;
    EXPECT_EQ(world.chooser_.Next(0).route, 2U);
    EXPECT_EQ(world.Usual(60), route) << ms_per_byte;
  }
}

TEST(RouteChooser, FollowsTheLineAndTheCloud) {
  World world;
  EXPECT_EQ(world.Usual(), 0U);
  world.ms_per_byte = 0.1;
  world.delay_ms = 150;
  for (int i = 0; i < 10; ++i) world.Picture();
  EXPECT_EQ(world.Usual(), 2U);
  world.ms_per_byte = 0.001;
  world.delay_ms = 20;
  for (int i = 0; i < 10; ++i) world.Picture();
  EXPECT_EQ(world.Usual(), 0U);
  world.stretch = 40;
  for (int i = 0; i < 10; ++i) world.Picture();
  EXPECT_EQ(world.Usual(), 2U);
}

TEST(RouteChooser, ProbesSeldomWhereNothingIsToBeFound) {
  World world;
  world.ms_per_byte = 0.1;
  world.Usual(100);
  const uint64_t before = world.chooser_.probes();
  world.Usual(1000);
  EXPECT_LE(world.chooser_.probes() - before, 50U);
}

TEST(RouteChooser, AnAnswerWithoutLoadTellsOfTheLineAlone) {
  World world;
  world.tells_load = false;
  EXPECT_EQ(world.Usual(60), 0U);
  EXPECT_EQ(world.chooser_.stretch(), 1);
  EXPECT_NEAR(world.chooser_.ms_per_byte(), world.ms_per_byte, world.ms_per_byte);
}

TEST(RouteChooser, WhatNoAnswerComesToIsHeldAgainstTheLine) {
  World world;
  EXPECT_EQ(world.Usual(), 0U);
  // Nothing more is answered: one large frame, then ever smaller ones.
  size_t last = 0;
  for (int i = 0; i < 8; ++i) {
    const auto pick = world.chooser_.Next(world.now_);
    world.chooser_.Sent(pick.ticket, world.now_, false);
    world.now_ += 500;
    last = pick.route;
  }
  EXPECT_EQ(last, 2U);
}

TEST(RouteChooser, LimitsAreKeptWhereTheyCanBe) {
  auto routes = kRoutes;
  routes[0].most_ms_per_byte = 0.0005;  // not on this line
  EXPECT_EQ(World(routes).Usual(60), 1U);
  for (PricedRoute& route : routes) route.most_ms_per_byte = 0;
  EXPECT_EQ(World(routes).Usual(60), 0U) << "where none keeps them, the cheapest goes";
}

TEST(RouteChooser, TheDevicesOwnTimesCorrectThePolicy) {
  World world;
  world.ms_per_byte = 0.02;
  for (int i = 0; i < 100; ++i) {
    const auto pick = world.Picture();
    world.chooser_.Worked(pick.route, 5 * kRoutes[pick.route].edge_ms);
  }
  EXPECT_EQ(world.Usual(), 0U) << "a board five times as slow lets the cloud work";
}

TEST(RouteChooser, ClocksThatJumpAndFiguresThatAreNoneDoNoHarm) {
  World world;
  EXPECT_EQ(world.Usual(), 0U);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double now : {-1e18, nan, inf, 0.0, 1e15}) {
    for (const double network : {nan, -1.0, inf}) {
      const auto pick = world.chooser_.Next(now);
      ASSERT_LT(pick.route, kRoutes.size());
      world.chooser_.Worked(pick.route, network);
      world.chooser_.Sent(pick.ticket, now, false);
      world.chooser_.Heard({pick.ticket, 1000, now, now, network, 0});
    }
  }
  world.chooser_.Heard({12345678, 1000, 0, 1, 1.0, 0});  // nobody's
  world.chooser_.Lost(12345678);
  world.now_ = 2e15;
  for (int i = 0; i < 20; ++i) world.Picture();
  EXPECT_EQ(world.Usual(), 0U);
  EXPECT_TRUE(std::isfinite(world.chooser_.ms_per_byte()));
}

TEST(RouteChooser, PicturesOfWhichNothingIsHeardAreForgotten) {
  World world;
  for (int i = 0; i < 100000; ++i) {
    const auto pick = world.chooser_.Next(i);
    if (i % 2 == 0) world.chooser_.Lost(pick.ticket);
  }
  for (int i = 0; i < 20; ++i) {
    world.now_ = 200000 + 500.0 * i;
    world.Picture();
  }
  EXPECT_LT(world.Usual(60), kRoutes.size());
}

TEST(RouteChooser, WhatADiskKeptAndNobodySpeaksOfAgainHoldsNothingUp) {
  World world;
  EXPECT_EQ(world.Usual(), 0U);
  for (int i = 0; i < 50; ++i) {
    const auto pick = world.chooser_.Next(world.now_);
    world.chooser_.Sent(pick.ticket, world.now_, false);
    world.now_ += 500;
  }
  for (int i = 0; i < 10; ++i) world.Picture();
  EXPECT_EQ(world.Usual(), 0U);
}

TEST(RouteChooser, OneRouteIsTheRoute) {
  World world({kRoutes[1]});
  EXPECT_EQ(world.Usual(100), 0U);
  EXPECT_EQ(world.chooser_.probes(), 0U);
}

}  // namespace
}  // namespace fogline
