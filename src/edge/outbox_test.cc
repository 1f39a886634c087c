// An outbox in thousands of random worlds: after every step, and once the world is well again, what
// it promises must hold (edge/test_world.h).
#include "edge/outbox.h"

#include <gtest/gtest.h>

#include <set>

#include "edge/test_world.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST(Outbox, KeepsItsPromisesInEveryWorld) {
  OutboxWorld::Events all;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    OutboxWorld world(seed);
    const std::string& wrong = world.Live(200);
    ASSERT_EQ(wrong, "") << "seed " << seed;
    all.Add(world.events());
  }
  // Enough has happened for the promises to mean something.
  EXPECT_GT(all.published, 70'000U);
  EXPECT_GT(all.stored, 30'000U);
  EXPECT_GT(all.told, 8'000U);
  EXPECT_GT(all.overtaken, 2'000U) << "answers while something is being published";
  EXPECT_GT(all.runs, 3'500U);
  EXPECT_GT(all.lost, 500U) << "with a process that kept them in memory";
  for (const size_t count : {all.refused, all.unburied, all.aside, all.dropped, all.stale}) {
    EXPECT_GT(count, 80U);
  }
}

/// At the end of a long backlog no new frame comes to tell the times of the old ones.
TEST(Outbox, TimesThatNoNewFrameTellsAreToldByFramesOfTheirOwn) {
  OutboxOptions options;
  options.device = "cam";
  options.run = 7;
  options.window = 100;
  Outbox outbox(options);
  std::vector<Frame> published;
  Nanos now = 10s;
  const auto feed = [&](const Outbox::Event& event) {
    auto action = outbox.Resume(event, now);
    while (!action.terminal()) {
      if (action.kind == Outbox::Action::kPublish) {
        Frame& frame = published.emplace_back();
        ASSERT_TRUE(ParseFrame(action.bytes, frame));
        action = outbox.Resume(Outbox::Published{nullptr}, now);
      } else {
        ASSERT_EQ(action.kind, Outbox::Action::kDeliver);
        action = outbox.Resume(Outbox::Done{}, now);
      }
    }
  };
  const auto offer = [&] {
    Frame frame;
    const std::vector<std::byte> data(10, std::byte{5});
    frame.payloads.push_back({Role::kThumbnail, 4, 90, DType::kU8, Shape{1, 1, 3}, data});
    feed(Outbox::Offered{&frame, now, now, false, false});
  };
  feed(Outbox::Connected{});
  for (int i = 0; i < 100; ++i) offer();
  now += 3ms;
  std::set<uint64_t> told;
  size_t pictures = 0, tellings = 0;
  for (size_t i = 0; i < published.size() || !outbox.idle(); ++i) {
    ASSERT_LT(i, 110U);
    ASSERT_LT(i, published.size());
    if (published[i].payloads.empty()) {
      EXPECT_EQ(published[i].sequence, Outbox::kFirstTelling + tellings++);
    } else {
      EXPECT_EQ(published[i].sequence, pictures++) << "a gap is a lost picture";
    }
    if (i == 50) offer();  // after the first that told
    for (const Settled& settled : published[i].settled) {
      EXPECT_TRUE(told.insert(settled.sequence).second);
      EXPECT_EQ(settled.network_us, settled.sequence == 100 ? 0U : 3000U);
    }
    Ack ack;
    ack.run = published[i].run;
    ack.sequence = published[i].sequence;
    feed(Outbox::Answered{&ack});
    if (i + 1 == published.size()) feed(Outbox::Closing{});
  }
  EXPECT_GT(tellings, 1U);
  EXPECT_EQ(told.size(), 101U);
}

}  // namespace
}  // namespace fogline
