#include "cloud/guard.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST(DeviceGuard, AdmitsABurstThenARate) {
  DeviceGuard guard(10);
  Nanos now = 5s;
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += guard.Admit("a", now) ? 1 : 0;
  EXPECT_EQ(admitted, 20);
  EXPECT_TRUE(guard.Admit("b", now)) << "another device has its own";
  for (int i = 0; i < 100; ++i) {
    now += 10ms;
    admitted += guard.Admit("a", now) ? 1 : 0;
  }
  EXPECT_NEAR(admitted, 30, 1);
}

TEST(DeviceGuard, RemembersABoundedNumberOfDevices) {
  DeviceGuard guard(1, 3);
  EXPECT_TRUE(guard.Admit("a", 0s));
  EXPECT_TRUE(guard.Admit("b", 0s));
  EXPECT_TRUE(guard.Admit("c", 1s));
  EXPECT_FALSE(guard.Admit("d", 1s));
  EXPECT_TRUE(guard.Admit("d", 2s)) << "a and b have been quiet";
}

TEST(DeviceGuard, WhatIsMuchWorkCountsAsSeveral) {
  DeviceGuard guard(10);
  Nanos now = 5s;
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += guard.Admit("a", now, 5) ? 1 : 0;
  EXPECT_EQ(admitted, 4);
  EXPECT_FALSE(guard.Admit("a", now, 0.1)) << "one at least";
  EXPECT_TRUE(guard.Admit("b", now, 1000)) << "more than a bucket passes when it is full";
  now += 10s;
  EXPECT_FALSE(guard.Admit("b", now)) << "and is paid back";
  now += 100s;
  EXPECT_TRUE(guard.Admit("b", now));
}

TEST(DeviceGuard, WithoutARateAdmitsEverything) {
  DeviceGuard guard(0);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(guard.Admit("a", 0s));
}

}  // namespace
}  // namespace fogline
