#include "base/units.h"

#include <gtest/gtest.h>

#include <concepts>

namespace fogline {
namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a < b;
};

// What must not compile does not.
static_assert(Addable<Milliseconds, Milliseconds>);
static_assert(!Addable<Milliseconds, Euro>);
static_assert(!Addable<Bytes, double>);
static_assert(!Comparable<MegabitsPerSecond, MegabytesPerSecond>);
static_assert(!std::convertible_to<double, Milliseconds>);
static_assert(std::same_as<decltype(Bytes(1) / MegabitsPerSecond(1)), Milliseconds>);
static_assert(std::same_as<decltype(Watts(1) * Milliseconds(1)), Millijoules>);

TEST(Units, ConversionsAreWhatTheyClaim) {
  // One megabyte at eight megabits a second takes a second.
  EXPECT_DOUBLE_EQ((Bytes(1e6) / MegabitsPerSecond(8)).value(), 1000);
  // Five watts for an hour are 0.005 kWh.
  EXPECT_DOUBLE_EQ(ToKilowattHours(Watts(5) * Milliseconds(kMillisecondsPerHour)).value(), 0.005);
  EXPECT_DOUBLE_EQ((EuroPerHour(0.01) * Milliseconds(kMillisecondsPerHour)).value(), 0.01);
  EXPECT_DOUBLE_EQ((EuroPerGigabyte(2) * Bytes(5e8)).value(), 1);
  EXPECT_FALSE((Bytes(1) / MegabitsPerSecond(0)).IsFinite());
  EXPECT_LT(Milliseconds(1), Milliseconds::Infinite());
}

}  // namespace
}  // namespace fogline
