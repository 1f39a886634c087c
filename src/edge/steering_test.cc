#include "edge/steering.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST(Steering, WithoutRulesEveryPictureGoesTheUsualWay) {
  Steering steering({.usual = 3});
  for (const Nanos silence : {Nanos(0), Nanos(1), Nanos(1ms), Nanos(24h)}) {
    for (const Nanos age : {Nanos(0), Nanos(1ms), Nanos(24h)}) {
      const Choice choice = steering.Choose({.silence = silence, .age = age});
      EXPECT_EQ(choice.route, 3U);
      EXPECT_FALSE(choice.changed);
    }
  }
}

TEST(Steering, ASilentCloudIsLeftAndAnAnsweringOneTakenAgainAtOnce) {
  // Every history of three pictures, each with a silence at or around the limit.
  const Nanos limit = 2s;
  for (const Nanos a : {Nanos(0), limit, limit + 1ns, limit * 100}) {
    for (const Nanos b : {Nanos(0), limit, limit + 1ns, limit * 100}) {
      for (const Nanos c : {Nanos(0), limit, limit + 1ns, limit * 100}) {
        Steering steering({.usual = 0, .local = 1, .fallback = limit});
        size_t before = 0;
        for (const Nanos silence : {a, b, c}) {
          const size_t wanted = silence > limit ? 1 : 0;
          const Choice choice = steering.Choose({.silence = silence, .age = 1h});
          EXPECT_EQ(choice.route, wanted);
          EXPECT_EQ(choice.changed, wanted != before);
          before = wanted;
        }
      }
    }
  }
}

TEST(Steering, OfTheNewestWhatIsPastItsDeadlineIsPassedOver) {
  Steering steering({.latest = true, .deadline = 200ms});
  EXPECT_EQ(steering.Choose({.age = 0ms}).route, 0U);
  EXPECT_EQ(steering.Choose({.age = 200ms}).route, 0U);
  EXPECT_FALSE(steering.Choose({.age = 200ms + 1ns}).route);
  EXPECT_FALSE(steering.Choose({.age = 1h}).changed) << "it went no way at all";
  EXPECT_EQ(steering.Choose({.age = 0ms}).route, 0U);
  // Without a deadline none is too old; without `latest` a deadline is the sender's alone.
  EXPECT_TRUE(Steering({.latest = true}).Choose({.age = 24h}).route);
  EXPECT_TRUE(Steering({.deadline = 1ms}).Choose({.age = 24h}).route);
}

TEST(Steering, APictureThatIsPassedOverChangesNoWay) {
  Steering steering({.local = 1, .fallback = 1s, .latest = true, .deadline = 1s});
  EXPECT_TRUE(steering.Choose({.silence = 2s}).changed);
  EXPECT_FALSE(steering.Choose({.silence = 0s, .age = 2s}).route);
  EXPECT_FALSE(steering.Choose({.silence = 2s}).changed) << "still alone";
  EXPECT_TRUE(steering.Choose({.silence = 0s}).changed);
}

TEST(Steering, OfAPolicyEveryPictureHasATicketAndItsRouteOfThePool) {
  Steering steering({.usual = 7,
                     .local = 7,
                     .fallback = 2s,
                     .ways = {{4, {.edge_ms = 1, .bytes = 4000, .cloud_ms = 3}},
                              {7, {.edge_ms = 50, .bytes = 200, .cloud_ms = 0}}}});
  ASSERT_NE(steering.chooser(), nullptr);
  size_t large = 0;
  for (int i = 0; i < 50; ++i) {
    const Nanos now = i * 500ms;
    const Choice choice = steering.Choose({.now = now});
    ASSERT_NE(choice.ticket, 0U);
    ASSERT_TRUE(*choice.route == 4U || *choice.route == 7U);
    large += *choice.route == 4 ? 1 : 0;
    steering.Worked(choice, *choice.route == 4 ? 1 : 50);
    steering.Sent(choice, now + 50ms, false);
    Delivery delivery;
    delivery.ticket = choice.ticket;
    delivery.bytes = *choice.route == 4 ? 4000 : 200;
    delivery.stages.network = 20;
    delivery.cloud_ms = *choice.route == 4 ? 3 : 0;
    delivery.sent = now + 50ms;
    delivery.answered = now + 75ms;
    steering.Heard(delivery);
  }
  EXPECT_GT(large, 30U) << "a line that takes no longer for more";
  const Choice alone = steering.Choose({.silence = 3s, .now = 30s});
  EXPECT_EQ(alone.route, 7U);
  EXPECT_TRUE(alone.alone);
  EXPECT_EQ(alone.ticket, 0U) << "it says nothing about the line";
  const Choice again = steering.Choose({.now = 31s});
  EXPECT_FALSE(again.alone);
  steering.Lost(again);
}

TEST(Steering, OnlyTheNewestWaitsForAPlaceBeforeItIsTaken) {
  const Steering lossless({}), latest({.latest = true});
  for (size_t free = 0; free < 5; ++free) {
    for (size_t unsent = 0; unsent < 5; ++unsent) {
      EXPECT_TRUE(lossless.MayTake(free, unsent));
      EXPECT_EQ(latest.MayTake(free, unsent), free > unsent) << free << " " << unsent;
    }
  }
}

}  // namespace
}  // namespace fogline
