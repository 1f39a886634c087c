#include "plan/partition.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plan/contraction.h"
#include "plan/max_flow.h"

namespace fogline {
namespace {

Status Check(const PartitionProblem& problem) {
  const auto priced = [](Price p) { return p >= Price(0); };  // false for NaN too
  const auto n = static_cast<uint32_t>(problem.tasks.size());
  for (uint32_t t = 0; t < n; ++t) {
    if (!priced(problem.tasks[t].edge) || !priced(problem.tasks[t].cloud)) {
      return Fail(ErrorCode::kInvalid, fmt::format("task {}", t), "has a negative price");
    }
  }
  for (size_t w = 0; w < problem.wires.size(); ++w) {
    const Wire& wire = problem.wires[w];
    const auto in_range = [n, &wire](uint32_t r) { return r < n && r != wire.producer; };
    if (wire.producer >= n || wire.readers.empty() ||
        !std::all_of(wire.readers.begin(), wire.readers.end(), in_range)) {
      return Fail(ErrorCode::kInvalid, fmt::format("wire {}", w), "joins tasks that do not exist");
    }
    if (!priced(wire.up) || !priced(wire.down)) {
      return Fail(ErrorCode::kInvalid, fmt::format("wire {}", w), "has a negative price");
    }
  }
  if (!priced(problem.crossing) || !problem.crossing.IsFinite()) {
    return Fail(ErrorCode::kInvalid, "crossing charge", "is negative or infinite");
  }
  return {};
}

/// Prices as whole ticks: the sum of all finite ones stays below 2^58, so that an infinite price
/// (one more than that sum) and everything the solver adds up fit 64 bits.
class Ticks {
 public:
  explicit Ticks(const PartitionProblem& problem) {
    double sum = 0;
    const auto add = [&sum](Price p) {
      if (p.IsFinite()) sum += p.value();
    };
    for (const Task& t : problem.tasks) {
      add(t.edge);
      add(t.cloud);
    }
    for (const Wire& w : problem.wires) {
      add(w.up);
      add(w.down);
    }
    scale_ = sum > 0 ? std::ldexp(1, 58) / sum : 1;
  }
  int64_t operator()(Price p) const {
    return p.IsFinite() ? static_cast<int64_t>(std::llround(p.value() * scale_)) : kInfinite;
  }
  Price Back(int64_t ticks) const { return Price(static_cast<double>(ticks) / scale_); }

  static constexpr int64_t kInfinite = int64_t{1} << 59;

 private:
  double scale_ = 1;
};

/// Tasks that every allowed plan runs on the edge: those that may not run in the cloud, and what an
/// uncuttable wire ties to them.
std::vector<bool> ForcedToEdge(const PartitionProblem& problem) {
  std::vector<bool> forced(problem.tasks.size());
  for (size_t t = 0; t < forced.size(); ++t) forced[t] = !problem.tasks[t].cloud.IsFinite();
  for (bool changed = true; changed;) {
    changed = false;
    const auto force = [&](uint32_t t) {
      changed |= !forced[t];
      forced[t] = true;
    };
    for (const Wire& wire : problem.wires) {
      const bool any = std::any_of(wire.readers.begin(), wire.readers.end(),
                                   [&](uint32_t r) { return forced[r]; });
      if (any && !wire.down.IsFinite()) force(wire.producer);
      if (forced[wire.producer] && !wire.up.IsFinite()) {
        for (const uint32_t r : wire.readers) force(r);
      }
    }
  }
  return forced;
}

/// Every arc of the flow network. The source stands for the edge, the sink for the cloud; tasks
/// forced to the edge are the source itself, so that no capacity out of it is infinite.
class Builder {
 public:
  Builder(const PartitionProblem& problem, const std::vector<bool>& forced, const Ticks& ticks)
      : ticks_(ticks), forced_(forced), next_(static_cast<uint32_t>(problem.tasks.size()) + 2) {
    arcs_.reserve(problem.tasks.size() + 3 * problem.wires.size());
    for (uint32_t t = 0; t < problem.tasks.size(); ++t) AddTask(t, problem.tasks[t]);
    for (const Wire& wire : problem.wires) AddWire(wire);
  }

  static constexpr uint32_t kSource = 0;
  static constexpr uint32_t kSink = 1;

  uint32_t Vertex(uint32_t task) const { return forced_[task] ? kSource : task + 2; }
  uint32_t vertices() const { return next_; }
  const std::vector<FlowArc>& arcs() const { return arcs_; }
  /// What every plan pays in any case: taken off both sides of each task before the flow.
  int64_t base() const { return base_; }

 private:
  void AddArc(uint32_t from, uint32_t to, int64_t forward, int64_t backward) {
    if (from == to) return;
    if (forward > 0) arcs_.push_back({from, to, forward});
    if (backward > 0) arcs_.push_back({to, from, backward});
  }

  void AddTask(uint32_t t, const Task& task) {
    const int64_t edge = ticks_(task.edge);
    const int64_t cloud = forced_[t] ? edge : ticks_(task.cloud);
    const int64_t common = std::min(edge, cloud);
    base_ += common;
    AddArc(kSource, Vertex(t), cloud - common, 0);
    AddArc(Vertex(t), kSink, edge - common, 0);
  }

  void AddWire(const Wire& wire) {
    const uint32_t from = Vertex(wire.producer);
    const int64_t up = ticks_(wire.up);
    const int64_t down = ticks_(wire.down);
    if (wire.readers.size() == 1) {
      AddArc(from, Vertex(wire.readers.front()), up, down);
      return;
    }
    // One auxiliary vertex a direction: it falls to the far side with the first reader there, and
    // its one priced arc is cut once. Readers that are the source itself are never on the far side
    // of `sent`, and hold `returned` by no more than its price: an infinite arc each would be more
    // out of the source than 64 bits can count.
    std::vector<uint32_t> movable;
    for (const uint32_t r : wire.readers) {
      if (!forced_[r]) movable.push_back(Vertex(r));
    }
    const bool held = movable.size() < wire.readers.size();
    const bool one_way = down >= Ticks::kInfinite;
    if (wire.readers.empty()) return;
    if (movable.empty()) {
      AddArc(kSource, from, one_way ? 0 : down, 0);
      return;
    }
    const uint32_t sent = next_++;
    AddArc(from, sent, up, 0);
    const uint32_t returned = one_way ? from : next_++;
    AddArc(returned, from, down, 0);
    if (held) AddArc(kSource, returned, down, 0);
    for (const uint32_t r : movable) {
      AddArc(sent, r, Ticks::kInfinite, 0);
      AddArc(r, returned, Ticks::kInfinite, 0);
    }
  }

  const Ticks& ticks_;
  const std::vector<bool>& forced_;
  uint32_t next_;
  std::vector<FlowArc> arcs_;
  int64_t base_ = 0;
};

/// Ticks of an assignment, counted the same way as the flow's capacities.
int64_t TicksOf(const PartitionProblem& problem, std::span<const Side> sides, const Ticks& ticks) {
  int64_t sum = 0;
  for (size_t t = 0; t < sides.size(); ++t) {
    sum += ticks(sides[t] == Side::kEdge ? problem.tasks[t].edge : problem.tasks[t].cloud);
  }
  for (const Wire& wire : problem.wires) {
    const Side home = sides[wire.producer];
    const bool cut = std::any_of(wire.readers.begin(), wire.readers.end(),
                                 [&](uint32_t r) { return sides[r] != home; });
    if (cut) sum += ticks(home == Side::kEdge ? wire.up : wire.down);
  }
  return sum;
}

bool Crosses(const PartitionProblem& problem, std::span<const Side> sides) {
  return std::any_of(problem.wires.begin(), problem.wires.end(), [&](const Wire& wire) {
    return std::any_of(wire.readers.begin(), wire.readers.end(),
                       [&](uint32_t r) { return sides[r] != sides[wire.producer]; });
  });
}

/// The cheapest assignment that cuts no wire: each connected piece goes where it is cheaper.
std::vector<Side> CheapestUncut(const PartitionProblem& problem) {
  std::vector<uint32_t> parent(problem.tasks.size());
  std::iota(parent.begin(), parent.end(), 0U);
  const auto find = [&parent](uint32_t t) {
    while (parent[t] != t) t = parent[t] = parent[parent[t]];
    return t;
  };
  for (const Wire& wire : problem.wires) {
    for (const uint32_t r : wire.readers) parent[find(r)] = find(wire.producer);
  }
  std::vector<Task> sum(parent.size());
  for (uint32_t t = 0; t < parent.size(); ++t) {
    sum[find(t)].edge += problem.tasks[t].edge;
    sum[find(t)].cloud += problem.tasks[t].cloud;
  }
  std::vector<Side> sides(parent.size());
  for (uint32_t t = 0; t < parent.size(); ++t) {
    sides[t] = sum[find(t)].edge <= sum[find(t)].cloud ? Side::kEdge : Side::kCloud;
  }
  return sides;
}

/// What costs more by itself than some whole plan can be left out of any cheapest one: infinite
/// prices in its place let more be merged, and leave the ticks finer for what matters.
PartitionProblem WithoutHopeless(const PartitionProblem& problem) {
  std::vector<Side> home(problem.tasks.size());
  for (size_t t = 0; t < home.size(); ++t) {
    home[t] = problem.tasks[t].edge.IsFinite() ? Side::kEdge : Side::kCloud;
  }
  const Price known = PriceOf(problem, home);
  PartitionProblem kept = problem;
  if (!known.IsFinite()) return kept;
  const auto drop = [known](Price& p) {
    if (p > known * (1 + 1e-9)) p = Price::Infinite();
  };
  for (Task& t : kept.tasks) {
    drop(t.edge);
    drop(t.cloud);
  }
  for (Wire& w : kept.wires) {
    drop(w.up);
    drop(w.down);
  }
  return kept;
}

}  // namespace

Price PriceOf(const PartitionProblem& problem, std::span<const Side> sides) {
  Price sum;
  for (size_t t = 0; t < sides.size(); ++t) {
    sum += sides[t] == Side::kEdge ? problem.tasks[t].edge : problem.tasks[t].cloud;
  }
  for (const Wire& wire : problem.wires) {
    const Side home = sides[wire.producer];
    const bool cut = std::any_of(wire.readers.begin(), wire.readers.end(),
                                 [&](uint32_t r) { return sides[r] != home; });
    if (cut) sum += home == Side::kEdge ? wire.up : wire.down;
  }
  return Crosses(problem, sides) ? sum + problem.crossing : sum;
}

Result<Partition> CheapestPartition(const PartitionProblem& problem) {
  FOGLINE_CHECK(Check(problem));
  const Contraction small = Contract(WithoutHopeless(problem));
  const std::vector<bool> forced = ForcedToEdge(small.problem);
  for (size_t t = 0; t < forced.size(); ++t) {
    if (forced[t] && !small.problem.tasks[t].edge.IsFinite()) {
      return Fail(ErrorCode::kUnsupported, "plan", "every partition is forbidden");
    }
  }
  const Ticks ticks(small.problem);
  const Builder net(small.problem, forced, ticks);
  const FlowResult cut = MaxFlow(net.vertices(), net.arcs(), Builder::kSource, Builder::kSink);
  const int64_t flow = net.base() + cut.flow;

  Partition best;
  std::vector<Side> small_sides(small.problem.tasks.size());
  for (uint32_t t = 0; t < small_sides.size(); ++t) {
    small_sides[t] = cut.source_side[net.Vertex(t)] ? Side::kEdge : Side::kCloud;
  }
  best.flow_equals_cut = TicksOf(small.problem, small_sides, ticks) == flow;
  best.sides.resize(problem.tasks.size());
  for (uint32_t t = 0; t < best.sides.size(); ++t) best.sides[t] = small_sides[small.group[t]];
  best.crosses = Crosses(problem, best.sides);
  best.value = PriceOf(problem, best.sides);
  best.bound = ticks.Back(flow);

  if (best.crosses && problem.crossing > Price(0)) {
    // The flow left the crossing charge out. A plan that crosses costs at least flow + charge; one
    // that does not is found directly.
    best.bound += problem.crossing;
    const std::vector<Side> uncut = CheapestUncut(problem);
    const Price value = PriceOf(problem, uncut);
    if (value <= best.value) {
      best.sides = uncut;
      best.crosses = false;
      best.value = best.bound = value;
    }
  }
  if (!best.value.IsFinite()) {
    return Fail(ErrorCode::kUnsupported, "plan", "every partition is forbidden");
  }
  return best;
}

}  // namespace fogline
