#include "plan/planner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plan/layer_problem.h"

namespace fogline {
namespace {

// The envelope's range of uplinks, Mbit/s.
constexpr double kSlowest = 1e-3;
constexpr double kFastest = 1e5;
constexpr double kHighestLoad = 0.95;

std::string Shown(const Violation& v) {
  if (std::isnan(v.have)) return fmt::format("{} {:g} (not calibrated)", v.limit, v.wanted);
  if (v.limit == "--never-send-input" || v.limit == "--not-before") return v.limit;
  return fmt::format("{} {:g} (has {:.4g})", v.limit, v.wanted, v.have);
}

/// Why no candidate will do: a limit that none meets alone, or the nearest miss of the set.
Error NothingFeasible(const Scenario& scenario, const std::vector<Candidate>& candidates) {
  const auto name = [&](const Candidate& c) {
    return fmt::format("cut {} ({}) as {}", scenario.cuts[c.cut].index, scenario.cuts[c.cut].name,
                       c.payload.codec);
  };
  if (candidates.empty()) {
    return {ErrorCode::kConflict, "--codec", "none of the codecs asked for applies to any cut"};
  }
  // Does every candidate break one and the same limit?
  for (const Violation& first : candidates.front().violations) {
    const Candidate* closest = nullptr;
    const Violation* miss = nullptr;
    bool all = true;
    for (const Candidate& c : candidates) {
      const auto it = std::ranges::find(c.violations, first.limit, &Violation::limit);
      if (it == c.violations.end()) {
        all = false;
        break;
      }
      if (miss == nullptr || it->excess < miss->excess) {
        closest = &c;
        miss = &*it;
      }
    }
    if (!all) continue;
    return {ErrorCode::kConflict, first.limit,
            fmt::format("cannot be met: the closest is {}, {}", name(*closest), Shown(*miss))};
  }
  const auto badness = [](const Candidate& c) {
    double worst = 0;
    for (const Violation& v : c.violations) worst = std::max(worst, v.excess);
    return std::pair(c.violations.size(), worst);
  };
  const Candidate& closest = *std::ranges::min_element(candidates, {}, badness);
  std::string broken;
  for (const Violation& v : closest.violations) {
    broken += (broken.empty() ? "" : " and ") + Shown(v);
  }
  return {ErrorCode::kConflict, closest.violations.front().limit,
          fmt::format("the limits contradict each other: the closest, {}, breaks {}", name(closest),
                      broken)};
}

class Planner {
 public:
  explicit Planner(Scenario& scenario)
      : s_(scenario),
        additive_(s_.objective.kind != Objective::Kind::kThroughput),
        layers_(s_),
        x_(1 / s_.link.EffectiveRate(s_.link.up).value()) {}

  Result<Plan> Run() {
    plan_.candidates = EnumerateCandidates(s_);
    // Halves measured as wholes are exact for each cut; layers that add up only where they are not.
    const bool exact_layers = !s_.edge_timing.measured() && !s_.cloud_timing.measured();
    by_flow_ = additive_ && exact_layers;
    Price flow = Price::Infinite();
    bool proven = false;
    if (additive_ && !s_.operation.two_way) {
      auto partition = CheapestPartition(layers_.At(x_));
      if (partition) {
        flow = partition->bound;
        proven = partition->flow_equals_cut;
        if (by_flow_) FOGLINE_CHECK(AddCut(*partition));
      }
    }
    if (s_.operation.two_way) FOGLINE_CHECK(FindTwoWay());

    const auto best = Cheapest([](const Candidate& c) { return c.price; });
    if (!best) return tl::unexpected<Error>(NothingFeasible(s_, plan_.candidates));
    FOGLINE_CHECK(FindEnvelope());
    FindLoadEnvelope();
    plan_.best = *Cheapest([](const Candidate& c) { return c.price; });
    Certify(flow, proven);
    return std::move(plan_);
  }

 private:
  template <typename Value>
  std::optional<size_t> Cheapest(const Value& value) const {
    std::optional<size_t> best;
    for (size_t i = 0; i < plan_.candidates.size(); ++i) {
      const Candidate& c = plan_.candidates[i];
      if (!c.feasible()) continue;
      if (!best) {
        best = i;
        continue;
      }
      const Price mine = value(c);
      const Price other = value(plan_.candidates[*best]);
      if (mine < other || (mine == other && c.cut > plan_.candidates[*best].cut)) best = i;
    }
    return best;
  }

  /// Makes the division of layers that the flow found a candidate, if it is none yet.
  Status AddCut(const Partition& partition) {
    const std::vector<bool> edge = layers_.EdgeLayers(partition);
    const auto same = [&edge](const Cut& cut) { return cut.edge == edge; };
    if (std::ranges::any_of(s_.cuts, same)) return {};
    std::string spec;
    for (const int a : layers_.Crossing(partition, Side::kEdge)) {
      spec += (spec.empty() ? "" : ",") + s_.model->activations()[static_cast<size_t>(a)].port.name;
    }
    auto cut = FindCut(*s_.model, spec);
    // Layers that nothing depends on may fall to either side: the cut is known by its tensors.
    if (!cut) return {};
    const auto known = [&cut](const Cut& other) { return other.id == cut->id; };
    if (std::ranges::any_of(s_.cuts, known)) return {};
    s_.cuts.push_back(*std::move(cut));
    for (Candidate& c : CandidatesAt(s_, s_.cuts.size() - 1)) {
      plan_.candidates.push_back(std::move(c));
    }
    return {};
  }

  Status FindTwoWay() {
    FOGLINE_TRY(const Partition partition, CheapestPartition(layers_.At(x_)));
    TwoWayPlan& plan = plan_.two_way.emplace();
    plan.value = partition.value;
    for (const Side from : {Side::kEdge, Side::kCloud}) {
      for (const int a : layers_.Crossing(partition, from)) {
        (from == Side::kEdge ? plan.up : plan.down)
            .push_back(s_.model->activations()[static_cast<size_t>(a)].port.name);
      }
    }
    return {};
  }

  Status FindEnvelope() {
    if (!additive_) {
      FindThroughputEnvelope();
      return {};
    }
    const auto solve = [this](double x) -> Result<std::pair<PriceLine, size_t>> {
      if (by_flow_ && !s_.operation.two_way) {
        if (auto partition = CheapestPartition(layers_.At(x))) FOGLINE_CHECK(AddCut(*partition));
      }
      const size_t found = *Cheapest([x](const Candidate& c) { return c.over_bandwidth.At(x); });
      return std::pair{plan_.candidates[found].over_bandwidth, found};
    };
    FOGLINE_TRY(auto pieces, LowerEnvelope<size_t>(1 / kFastest, 1 / kSlowest, solve));
    for (auto it = pieces.rbegin(); it != pieces.rend(); ++it) {
      plan_.envelope.push_back({1 / it->to, 1 / it->from, it->plan});
    }
    return {};
  }

  /// A pipeline's period is max(compute, slope · x). Of those that no other beats in both, the next
  /// one with more computing takes over where the link has become as slow as its computing.
  void FindThroughputEnvelope() {
    std::vector<size_t> order;
    for (size_t i = 0; i < plan_.candidates.size(); ++i) {
      if (plan_.candidates[i].feasible()) order.push_back(i);
    }
    const auto line = [this](size_t i) { return plan_.candidates[i].over_bandwidth; };
    std::ranges::sort(order, [&](size_t a, size_t b) {
      const auto key = [&](size_t i) { return std::pair(line(i).fixed, line(i).slope); };
      return key(a) < key(b);
    });
    double from = 1 / kFastest;
    for (size_t i = 0; i < order.size(); ++i) {
      size_t next = i + 1;
      while (next < order.size() && line(order[next]).slope >= line(order[i]).slope) ++next;
      const double meet =
          next < order.size() ? line(order[next]).fixed / line(order[i]).slope : 1 / kSlowest;
      const double to = std::min(meet, 1 / kSlowest);
      if (to > from) {
        plan_.envelope.push_back({1 / to, 1 / from, order[i]});
        from = to;
      }
      i = next - 1;
    }
    std::ranges::reverse(plan_.envelope);
  }

  void FindLoadEnvelope() {
    if (!additive_ || s_.objective.per_ms <= 0) return;
    const auto solve = [this](double stretch) -> Result<std::pair<PriceLine, size_t>> {
      const auto value = [stretch](const Candidate& c) { return c.over_load.At(stretch); };
      const size_t found = *Cheapest(value);
      return std::pair{plan_.candidates[found].over_load, found};
    };
    const auto pieces = LowerEnvelope<size_t>(1, 1 / (1 - kHighestLoad), solve);
    if (!pieces) return;
    for (const auto& piece : *pieces) {
      plan_.load_envelope.push_back({1 - 1 / piece.from, 1 - 1 / piece.to, piece.plan});
    }
  }

  void Certify(Price flow, bool proven) {
    Certificate& c = plan_.certificate;
    c.value = plan_.candidates[plan_.best].price;
    c.flow = flow;
    c.flow_equals_cut = proven;
    // A calibrated codec over several tensors at once may beat the sum that the flow counted.
    const auto tolerance = 1e-9 * c.value.value();
    c.by_flow = by_flow_ && proven && flow.value() <= c.value.value() + tolerance;
    c.lower_bound = c.by_flow ? std::min(flow, c.value) : c.value;
  }

  Scenario& s_;
  bool additive_;
  bool by_flow_ = false;
  LayerProblem layers_;
  double x_;
  Plan plan_;
};

}  // namespace

std::optional<size_t> Plan::BestOfCut(size_t cut) const {
  std::optional<size_t> found;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].cut != cut) continue;
    const auto rank = [this](size_t c) {
      return std::pair(!candidates[c].feasible(), candidates[c].price);
    };
    if (!found || rank(i) < rank(*found)) found = i;
  }
  return found;
}

std::vector<size_t> Plan::BestOfEachCut() const {
  std::vector<size_t> cuts;
  for (const Candidate& c : candidates) {
    if (cuts.empty() || cuts.back() != c.cut) cuts.push_back(c.cut);
  }
  std::vector<size_t> chosen;
  for (const size_t cut : cuts) chosen.push_back(*BestOfCut(cut));
  return chosen;
}

Result<Plan> MakePlan(Scenario& scenario) {
  const auto bad = [](const std::string& flag, const char* what) {
    return Fail(ErrorCode::kUsage, flag, "{}", what);
  };
  if (scenario.operation.images_per_second <= 0) return bad("--rate", "must be above zero");
  if (scenario.operation.cloud_load < 0 || scenario.operation.cloud_load >= 1) {
    return bad("--cloud-load", "is a share from 0 to below 1");
  }
  if (scenario.operation.lifetime_months <= 0) return bad("--lifetime", "must be above zero");
  if (scenario.objective.per_mj > 0 && !scenario.edge.power) {
    return Fail(ErrorCode::kUsage, "--objective", "machine '{}' has no power figures",
                scenario.edge.name);
  }
  return Planner(scenario).Run();
}

}  // namespace fogline
