// Frames of a network that the cloud does not have yet must not keep those of another from passing,
// and must not be sent over and over: one of them asks for all.
#include "edge/aside.h"

#include <gtest/gtest.h>

#include <set>

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr FrameNeeds kOld{1, 2, 3}, kNew{4, 5, 6};

SpoolPlace At(uint32_t offset) { return {1, offset}; }

TEST(Aside, OneAsksForAllWithGrowingPatience) {
  Aside aside(5s, 60s);
  EXPECT_TRUE(aside.NotNow(kOld, At(0), 1, 0s)) << "news";
  EXPECT_TRUE(aside.Waits(kOld));
  EXPECT_FALSE(aside.Waits(kNew));
  EXPECT_FALSE(aside.NotNow(kOld, At(1), 1, 0s)) << "sent before it was known";
  for (uint32_t i = 2; i < 100; ++i) aside.Add(kOld, At(i));
  EXPECT_EQ(aside.count(), 100U);
  Nanos now = 0s;
  for (const Nanos patience : {5s, 10s, 20s, 40s, 60s, 60s}) {
    EXPECT_EQ(aside.Deadline(), now + patience);
    EXPECT_FALSE(aside.Next(now + patience - 1ns));
    now += patience;
    const auto asker = aside.Next(now);
    ASSERT_TRUE(asker);
    EXPECT_FALSE(aside.Next(now + 1h)) << "one at a time";
    EXPECT_FALSE(aside.NotNow(kOld, asker->place, asker->times + 1, now));
  }
  EXPECT_EQ(aside.count(), 100U);
}

TEST(Aside, OnceOneIsTakenAllGo) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  for (uint32_t i = 1; i < 10; ++i) aside.Add(kOld, At(i));
  ASSERT_TRUE(aside.Next(5s));
  EXPECT_TRUE(aside.Taken(kOld)) << "news";
  EXPECT_FALSE(aside.Waits(kOld));
  std::set<uint32_t> offsets;
  while (const auto next = aside.Next(5s)) offsets.insert(next->place.offset);
  EXPECT_EQ(offsets.size(), 9U);
  EXPECT_TRUE(aside.empty());
  EXPECT_FALSE(aside.Taken(kOld));
  EXPECT_EQ(aside.Deadline(), std::nullopt);
}

TEST(Aside, OthersAreAskedForBesideThem) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  aside.NotNow(kNew, At(1), 1, 2s);
  ASSERT_EQ(aside.Next(5s)->needs, kOld);
  ASSERT_EQ(aside.Next(7s)->needs, kNew);
  EXPECT_TRUE(aside.Taken(kNew));
  EXPECT_TRUE(aside.Waits(kOld));
}

/// A frame that runs the cloud out of memory, say, is no reason to hold back its like.
TEST(Aside, AFrameThatIsAloneWithItsTroubleIsAskedAboutByItself) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  aside.Add(kOld, At(1));
  EXPECT_EQ(aside.Next(5s)->place, At(1)) << "one that was never told anything asks first";
  EXPECT_TRUE(aside.Taken(kOld));
  auto troubled = aside.Next(5s);
  ASSERT_TRUE(troubled);
  EXPECT_EQ(troubled->place, At(0));
  EXPECT_FALSE(aside.NotNow(kOld, At(0), troubled->times + 1, 5s));
  EXPECT_FALSE(aside.Waits(kOld)) << "its like go on";
  EXPECT_FALSE(aside.Next(14s));
  troubled = aside.Next(15s);
  ASSERT_TRUE(troubled);
  aside.NotNow(kOld, At(0), troubled->times + 1, 15s);
  EXPECT_EQ(aside.Deadline(), 35s) << "with growing patience";
  // When the network goes away for good, another frame says so.
  EXPECT_TRUE(aside.NotNow(kOld, At(2), 1, 16s));
  EXPECT_TRUE(aside.Waits(kOld));
}

TEST(Aside, ANewConnectionIsAskedAtOnce) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  aside.AskSoon(1s);
  EXPECT_TRUE(aside.Next(1s));
}

TEST(Aside, WhatCannotBeReadNowAsksLater) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  const auto asker = aside.Next(5s);
  ASSERT_TRUE(asker);
  aside.PutBack(*asker, 5s);
  EXPECT_EQ(aside.count(), 1U);
  EXPECT_FALSE(aside.Next(9s));
  EXPECT_TRUE(aside.Next(10s));
}

TEST(Aside, WhenTheOneThatAsksIsGoneAnotherAsks) {
  Aside aside(5s, 60s);
  aside.NotNow(kOld, At(0), 1, 0s);
  aside.Add(kOld, At(1));
  aside.Gone(kOld, aside.Next(5s)->place, 6s);
  EXPECT_EQ(aside.Next(6s)->place, At(0));
}

}  // namespace
}  // namespace fogline
