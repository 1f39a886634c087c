#include "plan/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "plan/contraction.h"

namespace fogline {
namespace {

/// The slow, obviously right answer: every assignment.
Price BruteForce(const PartitionProblem& problem) {
  const size_t n = problem.tasks.size();
  Price best = Price::Infinite();
  std::vector<Side> sides(n);
  for (uint32_t bits = 0; bits < (1U << n); ++bits) {
    for (size_t t = 0; t < n; ++t) sides[t] = (bits >> t) & 1 ? Side::kCloud : Side::kEdge;
    best = std::min(best, PriceOf(problem, sides));
  }
  return best;
}

enum class Direction { kOneWay, kTwoWay, kMixed };

/// Task t reads whatever `edges` says it reads of tasks before it; one wire a producer.
PartitionProblem Make(size_t n, uint32_t edges, Direction direction, std::mt19937& random) {
  std::uniform_real_distribution<double> price(0, 10);
  std::uniform_int_distribution<int> die(0, 19);
  // Small whole numbers now and then, so that ties are met too.
  const auto draw = [&] {
    const int d = die(random);
    return d == 0 ? Price(0) : d < 6 ? Price(die(random) % 4) : Price(price(random));
  };
  PartitionProblem problem;
  for (size_t t = 0; t < n; ++t) {
    problem.tasks.push_back({draw(), draw()});
    if (die(random) == 0) problem.tasks.back().edge = Price::Infinite();
  }
  problem.tasks.front().cloud = Price::Infinite();  // the input
  if (die(random) < 10) problem.tasks.back().edge = Price::Infinite();
  size_t bit = 0;
  for (uint32_t from = 0; from < n; ++from) {
    Wire wire{from, {}, draw()};
    for (uint32_t to = from + 1; to < n; ++to, ++bit) {
      if ((edges >> bit) & 1) wire.readers.push_back(to);
    }
    if (wire.readers.empty()) continue;
    if (die(random) == 0) wire.up = Price::Infinite();
    const bool two_way =
        direction == Direction::kTwoWay || (direction == Direction::kMixed && die(random) < 10);
    if (two_way) wire.down = draw();
    problem.wires.push_back(std::move(wire));
  }
  if (die(random) < 10) problem.crossing = draw();
  return problem;
}

void ExpectOptimal(const PartitionProblem& problem, size_t& solved) {
  const Price slow = BruteForce(problem);
  const auto fast = CheapestPartition(problem);
  if (!slow.IsFinite()) {
    EXPECT_FALSE(fast);
    return;
  }
  ASSERT_TRUE(fast) << fast.error().ToString();
  EXPECT_NEAR(fast->value.value(), slow.value(), 1e-9);
  EXPECT_NEAR(fast->bound.value(), slow.value(), 1e-9);
  EXPECT_TRUE(fast->flow_equals_cut);
  EXPECT_EQ(PriceOf(problem, fast->sides), fast->value);
  ++solved;
}

// All 2^(n(n-1)/2) graphs over n ordered tasks are all DAGs of n tasks (up to names): every one of
// up to 5, each in three directions.
TEST(Partition, EqualsBruteForceOnEveryDagOfUpToFiveTasks) {
  std::mt19937 random(1);
  size_t solved = 0;
  for (size_t n = 2; n <= 5; ++n) {
    for (uint32_t edges = 0; edges < (1U << (n * (n - 1) / 2)); ++edges) {
      for (const Direction d : {Direction::kOneWay, Direction::kTwoWay, Direction::kMixed}) {
        for (int again = 0; again < 3; ++again) ExpectOptimal(Make(n, edges, d, random), solved);
        if (testing::Test::HasFailure()) FAIL() << n << " tasks, graph " << edges;
      }
    }
  }
  EXPECT_GT(solved, 7000U);
}

// All 32,768 graphs of six tasks once each in a direction drawn, then 30,000 drawn of seven and
// eight.
TEST(Partition, EqualsBruteForceOnTensOfThousandsOfLargerDags) {
  std::mt19937 random(2);
  size_t solved = 0;
  for (uint32_t edges = 0; edges < (1U << 15); ++edges) {
    ExpectOptimal(Make(6, edges, static_cast<Direction>(random() % 3), random), solved);
    if (testing::Test::HasFailure()) FAIL() << "graph " << edges;
  }
  for (int i = 0; i < 30000; ++i) {
    const size_t n = 7 + i % 2;
    // Few arcs, as in a CNN, and many, in turn.
    const uint32_t edges = (i % 4 < 2 ? random() & random() : random()) & ((1U << 28) - 1);
    ExpectOptimal(Make(n, edges, static_cast<Direction>(i % 3), random), solved);
    if (testing::Test::HasFailure()) FAIL() << "instance " << i;
  }
  EXPECT_GT(solved, 50000U);
}

TEST(Partition, ContractionKeepsTheOptimum) {
  std::mt19937 random(3);
  size_t before = 0, after = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto problem =
        Make(8, random() & random() & ((1U << 28) - 1), Direction::kOneWay, random);
    const Contraction small = Contract(problem);
    Price was = BruteForce(problem), is = BruteForce(small.problem);
    // The charge apart: contraction promises the optimum among plans that cross.
    if (problem.crossing > Price(0)) continue;
    EXPECT_EQ(was.IsFinite(), is.IsFinite());
    if (was.IsFinite()) {
      ASSERT_NEAR(was.value(), is.value(), 1e-9) << i;
    }
    before += problem.tasks.size();
    after += small.problem.tasks.size();
  }
  EXPECT_LT(after * 5, before * 4);
}

// The three-layer graph on which the published DADS construction, which has no arcs against the
// data's direction, returns 7: its plan sends data back down for nothing.
TEST(Partition, DataDoesNotComeBackForFree) {
  PartitionProblem problem;
  problem.tasks = {{Price(0), Price::Infinite()},
                   {Price(100), Price(1)},
                   {Price(1), Price(100)},
                   {Price::Infinite(), Price(0)}};
  problem.wires = {{0, {1}, Price(5)}, {1, {2}, Price(1000)}, {2, {3}, Price(0)}};
  const auto one_way = CheapestPartition(problem);
  ASSERT_TRUE(one_way);
  EXPECT_DOUBLE_EQ(one_way->value.value(), 101);
  problem.wires[1].down = Price(3);
  const auto two_way = CheapestPartition(problem);
  ASSERT_TRUE(two_way);
  EXPECT_DOUBLE_EQ(two_way->value.value(), 5 + 1 + 3 + 1);
}

TEST(Partition, ATensorIsChargedOnceHoweverManyReadIt) {
  PartitionProblem problem;
  problem.tasks.push_back({Price(0), Price::Infinite()});
  Wire wire{0, {}, Price(10)};
  for (uint32_t t = 1; t <= 6; ++t) {
    problem.tasks.push_back({Price(4), Price(1)});
    wire.readers.push_back(t);
  }
  problem.wires.push_back(wire);
  const auto plan = CheapestPartition(problem);
  ASSERT_TRUE(plan);
  EXPECT_DOUBLE_EQ(plan->value.value(), 16);
  EXPECT_EQ(std::count(plan->sides.begin(), plan->sides.end(), Side::kCloud), 6);
}

// Found by the fuzzer: each such wire put an infinite arc out of the source, and sixteen of them
// more than 64 bits hold. Every producer here is read by a task that must stay and by one that may
// go.
TEST(Partition, ManyResultsThatComeBackToTheEdgeFitTheCount) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> price(0, 9);
  for (int round = 0; round < 20; ++round) {
    PartitionProblem problem;
    constexpr uint32_t kTasks = 8;
    for (uint32_t t = 0; t < kTasks; ++t) {
      problem.tasks.push_back({Price(price(random)), Price(price(random))});
    }
    problem.tasks.push_back({Price(1), Price::Infinite()});
    for (uint32_t w = 0; w < 40; ++w) {
      Wire wire{w % (kTasks - 1), {w % (kTasks - 1) + 1, kTasks}, Price(price(random))};
      wire.down = Price(price(random));
      problem.wires.push_back(wire);
    }
    size_t solved = 0;
    ExpectOptimal(problem, solved);
    EXPECT_EQ(solved, 1U);
  }
}

TEST(Partition, TheCrossingChargeIsPaidOnceAndEscapedByStayingHome) {
  PartitionProblem problem;
  problem.tasks = {{Price(0), Price::Infinite()}, {Price(10), Price(1)}, {Price(10), Price(1)}};
  problem.wires = {{0, {1}, Price(2)}, {1, {2}, Price(2)}};
  problem.crossing = Price(10);
  EXPECT_DOUBLE_EQ(CheapestPartition(problem)->value.value(), 14);
  problem.crossing = Price(17);
  const auto home = CheapestPartition(problem);
  EXPECT_DOUBLE_EQ(home->value.value(), 20);
  EXPECT_FALSE(home->crosses);
  EXPECT_DOUBLE_EQ(home->bound.value(), 20);
}

TEST(Partition, MoreBandwidthNeverCostsMore) {
  std::mt19937 random(4);
  for (int i = 0; i < 500; ++i) {
    PartitionProblem problem =
        Make(8, random() & random() & ((1U << 28) - 1), static_cast<Direction>(i % 3), random);
    Price last = Price::Infinite();
    const std::vector<Wire> wires = problem.wires;
    for (double slowness = 16; slowness > 0.01; slowness /= 2) {
      for (size_t w = 0; w < wires.size(); ++w) {
        problem.wires[w].up = wires[w].up * slowness;
        problem.wires[w].down = wires[w].down * slowness;
      }
      const auto plan = CheapestPartition(problem);
      if (!plan) break;
      EXPECT_LE(plan->value.value(), last.value() + 1e-9);
      last = plan->value;
    }
  }
}

TEST(Partition, RefusesWhatIsNoProblem) {
  PartitionProblem problem;
  problem.tasks = {{Price(1), Price(1)}, {Price(1), Price(1)}};
  problem.wires = {{0, {1}, Price(-1)}};
  EXPECT_EQ(CheapestPartition(problem).error().code, ErrorCode::kInvalid);
  problem.wires = {{0, {2}, Price(1)}};
  EXPECT_EQ(CheapestPartition(problem).error().code, ErrorCode::kInvalid);
  problem.wires = {{0, {0}, Price(1)}};
  EXPECT_EQ(CheapestPartition(problem).error().code, ErrorCode::kInvalid);
  problem.wires.clear();
  problem.tasks[0] = {Price::Infinite(), Price::Infinite()};
  EXPECT_EQ(CheapestPartition(problem).error().code, ErrorCode::kUnsupported);
  problem.tasks[0] = {Price(std::nan("")), Price(1)};
  EXPECT_EQ(CheapestPartition(problem).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace fogline
