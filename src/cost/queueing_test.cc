#include "cost/queueing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <queue>
#include <vector>

namespace fogline {
namespace {

/// Uniform in (0, 1), the same on every machine: splitmix64.
class Uniform {
 public:
  double operator()() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
  }

 private:
  uint64_t state_ = 2021;
};

struct Waits {
  double mean, p95;
};

/// Serves Poisson arrivals in order on `servers`; `service` draws a time.
template <typename Service>
Waits Simulate(double per_second, int servers, Service service, int n = 400000) {
  Uniform uniform;
  std::priority_queue<double, std::vector<double>, std::greater<>> free;
  for (int i = 0; i < servers; ++i) free.push(0);
  std::vector<double> waits;
  double now = 0, sum = 0;
  for (int i = 0; i < n; ++i) {
    now -= std::log(uniform()) / per_second;
    const double start = std::max(now, free.top());
    free.pop();
    free.push(start + service(uniform));
    waits.push_back(start - now);
    sum += start - now;
  }
  std::nth_element(waits.begin(), waits.begin() + n * 95 / 100, waits.end());
  return {sum / n, waits[static_cast<size_t>(n) * 95 / 100]};
}

TEST(Queueing, ErlangCIsTheTextbooks) {
  EXPECT_NEAR(ErlangC(1, 0.7), 0.7, 1e-12);
  EXPECT_NEAR(ErlangC(2, 1), 1.0 / 3, 1e-12);
  EXPECT_NEAR(ErlangC(5, 4), 0.5541, 1e-4);
  EXPECT_EQ(ErlangC(2, 2), 1);
  EXPECT_EQ(ErlangC(2, 0), 0);
}

TEST(Queueing, MeanWaitIsExactForOneServer) {
  // Pollaczek and Khinchine: λ E[S²] / (2 (1 − ρ)).
  const QueueLoad load{40, 0.02, 0.25};
  EXPECT_NEAR(MeanWait(load, 1), 40 * 0.02 * 0.02 * 1.25 / (2 * 0.2), 1e-12);
  EXPECT_TRUE(std::isinf(MeanWait({50, 0.02, 0}, 1)));
  EXPECT_TRUE(std::isinf(WaitQuantile({60, 0.02, 0}, 1, 0.95)));
}

TEST(Queueing, SimulationAgrees) {
  const double mean_s = 0.02;
  const auto fixed = [&](Uniform&) { return mean_s; };
  const auto exponential = [&](Uniform& u) { return -std::log(u()) * mean_s; };
  for (const int servers : {1, 2, 4}) {
    for (const double share : {0.5, 0.7, 0.9}) {
      const double rate = share * servers / mean_s;
      SCOPED_TRACE(testing::Message() << servers << " servers at " << share);
      const Waits m = Simulate(rate, servers, exponential);
      const QueueLoad memoryless{rate, mean_s, 1};
      EXPECT_NEAR(MeanWait(memoryless, servers) / m.mean, 1, 0.08);
      EXPECT_NEAR(WaitQuantile(memoryless, servers, 0.95) / m.p95, 1, 0.10);
      // The approximation for equal services: within an eighth of the mean plus a quarter of a
      // service, and never so low at the 95th percentile that a plan would promise too much.
      const Waits d = Simulate(rate, servers, fixed);
      const QueueLoad equal{rate, mean_s, 0};
      EXPECT_NEAR(MeanWait(equal, servers), d.mean, 0.125 * d.mean + 0.05 * mean_s);
      EXPECT_GT(WaitQuantile(equal, servers, 0.95), 0.85 * d.p95 - 0.1 * mean_s);
      EXPECT_LT(WaitQuantile(equal, servers, 0.95), 1.15 * d.p95 + 0.5 * mean_s);
    }
  }
}

TEST(Queueing, MaxUtilisationKeepsTheTarget) {
  const double share = MaxUtilisation(0.02, 0, 2, 0.95, 0.03, 0.95);
  EXPECT_GT(share, 0.5);
  EXPECT_LT(share, 0.95);
  EXPECT_LE(WaitQuantile({share * 2 / 0.02, 0.02, 0}, 2, 0.95), 0.03 + 1e-9);
  EXPECT_GT(WaitQuantile({(share + 0.01) * 2 / 0.02, 0.02, 0}, 2, 0.95), 0.03);
  EXPECT_EQ(MaxUtilisation(0.02, 0, 2, 0.95, 10, 0.95), 0.95);
  EXPECT_EQ(MaxUtilisation(0.02, 0, 2, 0.95, -1, 0.95), 0);
}

}  // namespace
}  // namespace fogline
