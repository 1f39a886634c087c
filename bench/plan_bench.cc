// How fast a plan is found: one minimum cut, and the whole envelope over bandwidth, on graphs
// shaped like CNNs and under the price regimes that are hard for a flow algorithm.
//   build/release/bench/plan_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>

#include "plan/envelope.h"
#include "plan/partition.h"

namespace fogline {
namespace {

enum Regime : int64_t {
  kRandom,       // every layer and tensor priced at random: cuts everywhere
  kCloudFaster,  // the cloud wins at every layer and tensors are dear: flow runs down the whole
                 // chain
  kShrinking,    // the same with tensors that shrink towards the output, as in a real CNN
};

/// A chain of `tasks` layers with a skip connection over up to eight of them at every third.
PartitionProblem CnnLike(size_t tasks, Regime regime) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  PartitionProblem problem;
  const auto n = static_cast<double>(tasks);
  for (size_t t = 0; t < tasks; ++t) {
    const double cloud = uniform(random);
    const double edge = regime == kRandom ? 10 * uniform(random) : cloud + 10 * uniform(random);
    problem.tasks.push_back({Price(edge), Price(cloud)});
    Wire wire{static_cast<uint32_t>(t), {}, Price(0)};
    if (t + 1 < tasks) wire.readers.push_back(static_cast<uint32_t>(t + 1));
    if (t % 3 == 0 && t + 2 < tasks) {
      const auto skip = static_cast<size_t>(2 + 7 * uniform(random));
      const auto to = static_cast<uint32_t>(std::min(t + skip, tasks - 1));
      if (to != t + 1) wire.readers.push_back(to);
    }
    const double depth = static_cast<double>(t) / n;
    switch (regime) {
      case kRandom:
        wire.up = Price(n / 6 * uniform(random));
        break;
      case kCloudFaster:
        wire.up = Price(5 * n * (1 + uniform(random)));
        break;
      case kShrinking:
        wire.up = Price(10 * n * (1 - 0.9 * depth) * (0.8 + uniform(random)));
        break;
    }
    if (!wire.readers.empty()) problem.wires.push_back(std::move(wire));
  }
  problem.tasks.front().cloud = Price::Infinite();
  problem.tasks.back().edge = Price::Infinite();
  problem.crossing = Price(20);
  return problem;
}

void Plan(benchmark::State& state) {
  const PartitionProblem problem =
      CnnLike(static_cast<size_t>(state.range(0)), static_cast<Regime>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(CheapestPartition(problem));
}

void Envelope(benchmark::State& state) {
  PartitionProblem problem =
      CnnLike(static_cast<size_t>(state.range(0)), static_cast<Regime>(state.range(1)));
  const std::vector<Wire> wires = problem.wires;
  size_t pieces = 0;
  const auto solve = [&](double x) -> Result<std::pair<PriceLine, std::vector<Side>>> {
    for (size_t w = 0; w < wires.size(); ++w) problem.wires[w].up = wires[w].up * x;
    FOGLINE_TRY(Partition plan, CheapestPartition(problem));
    Price sent;
    for (const Wire& wire : wires) {
      const bool cut = std::any_of(wire.readers.begin(), wire.readers.end(), [&](uint32_t r) {
        return plan.sides[r] != plan.sides[wire.producer];
      });
      if (cut) sent += wire.up;
    }
    return std::pair{PriceLine{plan.value - sent * x, sent}, std::move(plan.sides)};
  };
  for (auto _ : state) {
    const auto envelope = LowerEnvelope<std::vector<Side>>(1e-4, 1e3, solve);
    pieces = envelope->size();
  }
  state.counters["pieces"] = static_cast<double>(pieces);
}

BENCHMARK(Plan)
    ->ArgsProduct({{100, 600, 5000}, {kRandom, kCloudFaster, kShrinking}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(Envelope)
    ->ArgsProduct({{100, 600, 5000}, {kRandom, kCloudFaster, kShrinking}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fogline
