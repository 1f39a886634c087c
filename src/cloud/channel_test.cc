#include <gtest/gtest.h>

#include <thread>

#include "cloud/channel.h"

namespace fogline {
namespace {

TEST(Channel, IsFullByCountOrByWeightAndTakesOneOfAnyWeight) {
  Channel<int> channel(3, 100);
  EXPECT_TRUE(channel.Push(1, 1000));  // alone, it fits
  std::thread writer([&] {
    EXPECT_TRUE(channel.Push(2, 60));
    EXPECT_TRUE(channel.Push(3, 60));
    EXPECT_TRUE(channel.Push(4, 1));
  });
  for (int expected : {1, 2, 3, 4}) EXPECT_EQ(channel.Pop(), expected);
  writer.join();
  EXPECT_EQ(channel.count(), 0U);
  EXPECT_TRUE(channel.Push(5, 60));
  channel.Close();
  EXPECT_FALSE(channel.Push(6, 1));
  EXPECT_EQ(channel.Pop(), 5) << "what was inside is still handed out";
  EXPECT_EQ(channel.Pop(), std::nullopt);
}

TEST(Channel, ABusyReaderWaitsForCompanyOrTheEnd) {
  const auto long_patience = std::chrono::hours(1);
  const auto busy = [] { return true; };
  const auto idle = [] { return false; };
  Channel<int> channel(8);
  std::vector<int> taken;
  ASSERT_TRUE(channel.Push(1));
  ASSERT_TRUE(channel.PopAll(taken, 8, 3, long_patience, idle));
  EXPECT_EQ(taken, std::vector{1});
  {
    const std::jthread writer([&] {
      for (int i : {2, 3, 4}) EXPECT_TRUE(channel.Push(i));
    });
    ASSERT_TRUE(channel.PopAll(taken, 8, 3, long_patience, busy));
    EXPECT_EQ(taken, (std::vector{2, 3, 4}));
  }
  // More than fit never come: a full channel is enough.
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(channel.Push(i));
  ASSERT_TRUE(channel.PopAll(taken, 5, 100, long_patience, busy));
  EXPECT_EQ(taken.size(), 5U);
  ASSERT_TRUE(channel.PopAll(taken, 8, 1, Nanos(0), busy));
  EXPECT_EQ(taken.size(), 3U);
  ASSERT_TRUE(channel.Push(9));
  const std::jthread closer([&] { channel.Close(); });
  ASSERT_TRUE(channel.PopAll(taken, 8, 3, long_patience, busy));
  EXPECT_EQ(taken, std::vector{9});
  EXPECT_FALSE(channel.PopAll(taken, 8, 3, long_patience, busy));
}

}  // namespace
}  // namespace fogline
