#include "cloud/audit_watch.h"

#include <gtest/gtest.h>

#include <random>

namespace fogline {
namespace {

/// Audits until an alarm, at most so many.
int UntilAlarm(double promised, double differs, unsigned seed, int most) {
  AuditWatch watch;
  std::mt19937 random(seed);
  std::bernoulli_distribution other(differs);
  for (int i = 1; i <= most; ++i) {
    watch.Count({"litter", "split3", promised, !other(random)});
    if (watch.standings()[0].alarm) return i;
  }
  return most + 1;
}

/// At the very edge of the promise and below an alarm comes once in 10,000 audits or less often.
TEST(AuditWatch, APromiseThatHoldsRaisesNoAlarm) {
  constexpr int kRuns = 200, kLong = 2'000;
  for (const double promised : {0.005, 0.02, 0.1}) {
    int alarms = 0;
    for (unsigned run = 0; run < kRuns; ++run) {
      alarms += UntilAlarm(promised, promised, run, kLong) <= kLong ? 1 : 0;
    }
    // 40 would be the mean at the bound; it is far from reached.
    EXPECT_LE(alarms, 40) << promised;
  }
}

TEST(AuditWatch, ABrokenOneDoesSoon) {
  for (const double promised : {0.005, 0.02, 0.1}) {
    for (unsigned run = 0; run < 50; ++run) {
      EXPECT_LE(UntilAlarm(promised, 5 * promised, run, 100'000), static_cast<int>(20 / promised))
          << promised;
    }
  }
}

/// Drift after a long good time is seen as soon as from the start, and its end is said.
TEST(AuditWatch, WhatWasGoodForLongHidesNothing) {
  AuditWatch watch;
  const auto count = [&](bool agrees) { watch.Count({"litter", "split3", 0.02, agrees}); };
  for (int i = 0; i < 50'000; ++i) count(true);
  EXPECT_FALSE(watch.standings()[0].alarm);
  int until = 0;
  for (; until < 400 && !watch.standings()[0].alarm; ++until) count(until % 5 != 0);
  EXPECT_LT(until, 100);
  EXPECT_GT(watch.standings()[0].lately_differ, 0U);
  int better = 0;
  for (; better < 5'000 && watch.standings()[0].alarm; ++better) count(true);
  EXPECT_LT(better, 1'000);
  const auto standing = watch.standings()[0];
  EXPECT_EQ(standing.audited, 50'000U + static_cast<unsigned>(until + better));
}

TEST(AuditWatch, GatesAreWatchedEachByItself) {
  AuditWatch watch;
  for (int i = 0; i < 200; ++i) {
    watch.Count({"litter", "bad", 0.02, i % 2 == 0});
    watch.Count({"litter", "good", 0.02, true});
    watch.Count({"litter", "unpromised", 1, false});
  }
  ASSERT_EQ(watch.standings().size(), 3U);
  for (const auto& one : watch.standings()) EXPECT_EQ(one.alarm, one.gate == "bad") << one.gate;
  for (int i = 0; i < 1'000; ++i) watch.Count({"litter", std::to_string(i), 0.02, true});
  EXPECT_LE(watch.standings().size(), AuditWatch::kMostGates);
}

}  // namespace
}  // namespace fogline
