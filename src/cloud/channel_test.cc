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

}  // namespace
}  // namespace fogline
