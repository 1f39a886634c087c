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
