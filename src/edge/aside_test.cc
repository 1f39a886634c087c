// Frames of a network that the cloud does not have yet must not keep those of another from passing,
// and must not be sent over and over: one of them asks for all.
#include "edge/aside.h"

#include <gtest/gtest.h>

#include <set>

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr FrameNeeds kOlder{1, 2, 3}, kNewer{4, 5, 6};

SpoolPlace PlaceAt(uint32_t offset) { return {1, offset}; }

TEST(Aside, OneAsksForAllWithGrowingPatience) {
  Aside aside(5s, 60s);
  EXPECT_TRUE(aside.NotNow(kOlder, PlaceAt(0), 1, 0s)) << "news";
  EXPECT_TRUE(aside.Waits(kOlder));
  EXPECT_FALSE(aside.Waits(kNewer));
  EXPECT_FALSE(aside.NotNow(kOlder, PlaceAt(1), 1, 0s)) << "sent before it was known";
  for (uint32_t i = 2; i < 100; ++i) aside.Add(kOlder, PlaceAt(i));
  EXPECT_EQ(aside.count(), 100U);
  Nanos now = 0s;
  for (const Nanos patience : {5s, 10s, 20s, 40s, 60s, 60s}) {
    EXPECT_EQ(aside.Deadline(), now + patience);
    EXPECT_FALSE(aside.Next(now + patience - 1ns));
    now += patience;
    const auto asker = aside.Next(now);
    ASSERT_TRUE(asker);
    EXPECT_FALSE(aside.Next(now + 1h)) << "one at a time";
    EXPECT_FALSE(aside.NotNow(kOlder, asker->place, asker->times + 1, now));
  }
  EXPECT_EQ(aside.count(), 100U);
}

TEST(Aside, OnceOneIsTakenAllGo) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  for (uint32_t i = 1; i < 10; ++i) aside.Add(kOlder, PlaceAt(i));
  ASSERT_TRUE(aside.Next(5s));
  EXPECT_TRUE(aside.Taken(kOlder)) << "news";
  EXPECT_FALSE(aside.Waits(kOlder));
  std::set<uint32_t> offsets;
  while (const auto next = aside.Next(5s)) offsets.insert(next->place.offset);
  EXPECT_EQ(offsets.size(), 9U);
  EXPECT_TRUE(aside.empty());
  EXPECT_FALSE(aside.Taken(kOlder));
  EXPECT_EQ(aside.Deadline(), std::nullopt);
}

TEST(Aside, OthersAreAskedForBesideThem) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  aside.NotNow(kNewer, PlaceAt(1), 1, 2s);
  ASSERT_EQ(aside.Next(5s)->needs, kOlder);
  ASSERT_EQ(aside.Next(7s)->needs, kNewer);
  EXPECT_TRUE(aside.Taken(kNewer));
  EXPECT_TRUE(aside.Waits(kOlder));
}

/// A frame that runs the cloud out of memory, say, is no reason to hold back its like.
TEST(Aside, AFrameThatIsAloneWithItsTroubleIsAskedAboutByItself) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  aside.Add(kOlder, PlaceAt(1));
  EXPECT_EQ(aside.Next(5s)->place, PlaceAt(1)) << "one that was never told anything asks first";
  EXPECT_TRUE(aside.Taken(kOlder));
  auto troubled = aside.Next(5s);
  ASSERT_TRUE(troubled);
  EXPECT_EQ(troubled->place, PlaceAt(0));
  EXPECT_FALSE(aside.NotNow(kOlder, PlaceAt(0), troubled->times + 1, 5s));
  EXPECT_FALSE(aside.Waits(kOlder)) << "its like go on";
  EXPECT_FALSE(aside.Next(14s));
  troubled = aside.Next(15s);
  ASSERT_TRUE(troubled);
  aside.NotNow(kOlder, PlaceAt(0), troubled->times + 1, 15s);
  EXPECT_EQ(aside.Deadline(), 35s) << "with growing patience";
  // When the network goes away for good, another frame says so.
  EXPECT_TRUE(aside.NotNow(kOlder, PlaceAt(2), 1, 16s));
  EXPECT_TRUE(aside.Waits(kOlder));
}

TEST(Aside, ANewConnectionIsAskedAtOnce) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  aside.AskSoon(1s);
  EXPECT_TRUE(aside.Next(1s));
}

TEST(Aside, WhatCannotBeReadNowAsksLater) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  const auto asker = aside.Next(5s);
  ASSERT_TRUE(asker);
  aside.PutBack(*asker, 5s);
  EXPECT_EQ(aside.count(), 1U);
  EXPECT_FALSE(aside.Next(9s));
  EXPECT_TRUE(aside.Next(10s));
}

TEST(Aside, WhenTheOneThatAsksIsGoneAnotherAsks) {
  Aside aside(5s, 60s);
  aside.NotNow(kOlder, PlaceAt(0), 1, 0s);
  aside.Add(kOlder, PlaceAt(1));
  aside.Gone(kOlder, aside.Next(5s)->place, 6s);
  EXPECT_EQ(aside.Next(6s)->place, PlaceAt(0));
}

}  // namespace
}  // namespace fogline
