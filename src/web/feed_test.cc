#include "web/feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "store/store.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

class FeedTest : public ::testing::Test {
 protected:
  FeedTest() : store_(OpenStore("sqlite::memory:").value()), feed_(*store_, {}) {}

  void Put(size_t count) {
    std::vector<Detection> batch(count);
    for (Detection& d : batch) {
      d.device = "cam";
      d.mechanism = "split";
      d.sequence = sequence_++;
    }
    ASSERT_TRUE(store_->Put(batch));
  }
  void Poll() {
    while (feed_.Poll().value()) {
    }
  }
  /// Every sequence that a stream which has seen `after` is given, in order.
  std::vector<uint64_t> Follow(uint64_t after) {
    std::vector<uint64_t> sequences;
    for (;;) {
      const auto chunk = feed_.Next(after).value();
      if (chunk == nullptr) return sequences;
      EXPECT_GT(chunk->last, after);
      after = chunk->last;
      for (size_t at = 0; (at = chunk->text.find("\"sequence\":", at)) != std::string::npos;) {
        at += 11;
        sequences.push_back(std::stoull(chunk->text.substr(at)));
      }
    }
  }

  std::unique_ptr<Store> store_;
  Feed feed_;
  uint64_t sequence_ = 0;
};

TEST_F(FeedTest, WhatWasDeletedIsGivenToNobody) {
  ASSERT_TRUE(feed_.Start());
  EXPECT_THAT(feed_.Hello({}), HasSubstr("\"deletions\":0"));
  Put(20);
  Poll();
  ASSERT_EQ(Follow(0).size(), 20U);
  ASSERT_EQ(store_->Delete(std::vector<uint64_t>{3, 20}).value(), 2U);
  Poll();
  EXPECT_EQ(feed_.deletions(), 1U);
  EXPECT_EQ(feed_.last_id(), 20U);
  const auto left = Follow(0);
  EXPECT_EQ(left.size(), 18U);
  for (const uint64_t gone : {2U, 19U}) {
    EXPECT_EQ(std::ranges::count(left, uint64_t{gone}), 0) << gone;
  }
  // Pages that were connected are told, those that come back compare.
  EXPECT_THAT(feed_.Forgotten(), HasSubstr("\"deletions\":1"));
  EXPECT_THAT(feed_.Hello({}), HasSubstr("\"deletions\":1"));
  Put(1);
  Poll();
  EXPECT_EQ(Follow(20).size(), 1U);
}

TEST_F(FeedTest, AStreamThatWasCutOffAnywhereMissesAndRepeatsNothing) {
  std::mt19937 random(3);
  ASSERT_TRUE(feed_.Start());
  for (int i = 0; i < 60; ++i) {
    Put(1 + random() % 700);
    if (random() % 2 == 0) Poll();
  }
  Poll();
  const uint64_t last = store_->LastId().value();
  EXPECT_EQ(feed_.last_id(), last);
  for (int trial = 0; trial < 40; ++trial) {
    const uint64_t after = trial == 0 ? 0 : random() % (last + 1);
    const auto sequences = Follow(after);
    ASSERT_EQ(sequences.size(), last - after);
    for (size_t i = 0; i < sequences.size(); ++i) ASSERT_EQ(sequences[i], after + i);
  }
}

TEST_F(FeedTest, StartsAtTheStoresEnd) {
  Put(10);
  ASSERT_TRUE(feed_.Start());
  Poll();
  EXPECT_TRUE(Follow(feed_.Resolve("").after).empty());
  Put(2);
  EXPECT_EQ(feed_.Next(10).value(), nullptr);  // not read yet
  Poll();
  EXPECT_EQ(Follow(10).size(), 2U);
}

TEST_F(FeedTest, KnowsItsOwnIdsAndNoOthers) {
  Put(5);
  ASSERT_TRUE(feed_.Start());
  const std::string& epoch = store_->epoch();
  EXPECT_EQ(feed_.Resolve(epoch + "-3").after, 3U);
  EXPECT_FALSE(feed_.Resolve(epoch + "-3").reset);
  const std::vector<std::string> foreign{"3",          "0000000000000000-3", epoch + "-6",
                                         epoch + "-",  epoch + "-3x",        epoch + "--1",
                                         "garbage\r\n"};
  for (const std::string& id : foreign) {
    const FeedStart start = feed_.Resolve(id);
    EXPECT_TRUE(start.reset) << id;
    EXPECT_EQ(start.after, 5U);
    EXPECT_THAT(feed_.Hello(start), HasSubstr("event: reset"));
  }
  Put(1);  // stored, not yet read by the feed: an id that the API has already told
  EXPECT_FALSE(feed_.Resolve(epoch + "-6").reset);
}

// A client that comes back from before what was forgotten is told so, and gets all that is left.
TEST_F(FeedTest, SaysWhichRowsWillNotComeAnyMore) {
  ASSERT_TRUE(feed_.Start());
  for (int i = 0; i < 40; ++i) Put(500);  // more than the ring holds
  Poll();
  while (store_->Forget({.rows = 5000}).value().more) {
  }
  const FeedStart start = feed_.Resolve(store_->epoch() + "-10");
  EXPECT_FALSE(start.reset);
  const auto first = feed_.Next(start.after).value();
  EXPECT_EQ(first->text.find("event: forgotten\ndata: {\"oldest\":15001,\"deletions\":0}\n\n"), 0U);
  const auto sequences = Follow(start.after);
  ASSERT_EQ(sequences.size(), 5000U);
  EXPECT_EQ(sequences.front(), 15'000U);
  // Whoever has seen the last of them misses nothing and hears nothing of it.
  EXPECT_EQ(feed_.Next(15'000).value()->text.find("forgotten"), std::string::npos);
}

TEST_F(FeedTest, GoesOnWhenEverythingWasForgotten) {
  ASSERT_TRUE(feed_.Start());
  for (int i = 0; i < 40; ++i) Put(500);
  Poll();
  while (store_->Forget({.rows = 1}).value().more) {
  }
  EXPECT_EQ(Follow(10).size(), 1U);
  Put(3);
  Poll();
  EXPECT_EQ(Follow(20'000).size(), 3U);
}

TEST_F(FeedTest, AHostileLabelStaysInItsLine) {
  ASSERT_TRUE(feed_.Start());
  Detection d;
  d.device = "cam\n\nevent: detection\ndata: {}\n\n";
  d.label = "\r\n\"</script>";
  ASSERT_TRUE(store_->Put(std::span(&d, 1)));
  Poll();
  const auto chunk = feed_.Next(0).value();
  EXPECT_EQ(std::count(chunk->text.begin(), chunk->text.end(), '\n'), 4);
  EXPECT_EQ(chunk->text.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace fogline
