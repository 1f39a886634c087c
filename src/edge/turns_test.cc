#include "edge/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace fogline {
namespace {

/// Work of very different length, so that whoever began last is often done first.
void Work(std::mt19937& random) {
  volatile uint32_t sum = 0;
  for (uint32_t n = random() % 20'000; n > 0; --n) sum = sum + n;
}

TEST(Turns, WhatSeveralThreadsWorkOnLeavesInTheOrderInWhichItCame) {
  constexpr int kThings = 5'000;
  for (const size_t threads : {1U, 2U, 3U, 8U}) {
    Turns turns;
    int next = 0;            // only in Enter
    std::vector<int> order;  // only in Leave
    std::atomic<int> taking{0}, leaving{0};
    std::atomic<uint64_t> most{0};
    const auto run = [&](unsigned seed) {
      std::mt19937 random(seed);
      for (;;) {
        int thing = -1;
        const auto place = turns.Enter([&] {
          EXPECT_EQ(taking++, 0);
          thing = next;
          next += thing < kThings ? 1 : 0;
          --taking;
          return thing < kThings;
        });
        if (!place) return;
        EXPECT_EQ(*place, static_cast<uint64_t>(thing));
        most = std::max(most.load(), turns.under_way());
        Work(random);
        turns.Leave(*place, [&] {
          EXPECT_EQ(leaving++, 0);
          order.push_back(thing);
          --leaving;
        });
      }
    };
    std::vector<std::thread> all;
    for (size_t i = 0; i < threads; ++i) all.emplace_back(run, i);
    for (std::thread& thread : all) thread.join();
    ASSERT_EQ(order.size(), static_cast<size_t>(kThings));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_LE(most, threads);
    EXPECT_EQ(turns.under_way(), 0U);
  }
}

TEST(Turns, WhoWaitsForTheirTurnDoesNotStopOthersFromTaking) {
  Turns turns;
  const auto first = turns.Enter([] { return true; });
  std::atomic<bool> left{false};
  std::thread second([&] {
    const auto place = turns.Enter([] { return true; });
    turns.Leave(*place, [&] { left = true; });
  });
  while (turns.under_way() < 2) std::this_thread::yield();
  const auto third = turns.Enter([] { return true; });
  EXPECT_EQ(third, 2U);
  EXPECT_FALSE(turns.Enter([] { return false; }));
  EXPECT_FALSE(left);
  turns.Leave(*first, [] {});
  second.join();
  EXPECT_TRUE(left);
  turns.Leave(*third, [] {});
}

}  // namespace
}  // namespace fogline
