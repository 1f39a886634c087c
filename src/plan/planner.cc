#include "plan/planner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "plan/conflict.h"
#include "plan/layer_problem.h"
#include "plan/segments.h"

namespace fogline {
namespace {

// The envelope's range of uplinks, Mbit/s.
constexpr double kSlowest = 1e-3;
constexpr double kFastest = 1e5;
constexpr double kHighestLoad = 0.95;

class Planner {
 public:
  explicit Planner(Scenario& scenario)
      : s_(scenario),
        additive_(s_.objective.kind != Objective::Kind::kThroughput),
        layers_(s_),
        x_(1 / s_.link.EffectiveRate(s_.link.up).value()) {}

  Result<Plan> Run() {
    plan_.candidates = EnumerateCandidates(s_);
    // A network that edge and cloud cannot run at all is planned for whoever can.
    plan_.only_runnable = !s_.ideal && std::ranges::any_of(plan_.candidates, &Candidate::runnable);
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
    if (!Cheapest(Here)) return tl::unexpected<Error>(NothingFeasible(s_, plan_));
    FOGLINE_CHECK(FindCutsAtOtherUplinks());
    FindEnvelope();
    FindLoadEnvelope();
    Choose(*Cheapest(Here));
    Certify(flow, proven);
    return std::move(plan_);
  }

 private:
  static Price Here(const Candidate& c) { return c.price; }

  /// The cheapest that may be recommended; of equals the one with most on the edge.
  template <typename Value>
  std::optional<size_t> Cheapest(const Value& value) const {
    std::optional<size_t> best;
    for (size_t i = 0; i < plan_.candidates.size(); ++i) {
      if (!plan_.Usable(i)) continue;
      const Candidate& c = plan_.candidates[i];
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

  void Choose(size_t cheapest) {
    const Price least = plan_.candidates[cheapest].price;
    std::vector<size_t> usable;
    for (size_t i = 0; i < plan_.candidates.size(); ++i) {
      const Candidate& c = plan_.candidates[i];
      if (plan_.Usable(i)) {
        usable.push_back(i);
      } else if (c.feasible() && c.price < (plan_.beyond ? plan_.candidates[*plan_.beyond].price
                                                         : least * (1 - 1e-9))) {
        plan_.beyond = i;
      }
    }
    plan_.certificate.within = usable.size();
    plan_.ties = FindTies(s_, plan_.candidates, usable, cheapest);
    plan_.best = s_.strict ? cheapest : Preferred(plan_.candidates, plan_.ties);
  }

  /// Makes the division of layers that the flow found a candidate, if it is none yet.
  Status AddCut(const Partition& partition) {
    const std::vector<bool> edge = layers_.EdgeLayers(partition);
    const auto same = [&edge](const Cut& cut) { return cut.edge == edge; };
    if (std::ranges::any_of(s_.cuts, same)) return {};
    auto cut = CutAt(*s_.model, layers_.Crossing(partition, Side::kEdge));
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

  /// Divisions of the layers that are cheapest on some other uplink become candidates too, whether
  /// lists show them or not.
  Status FindCutsAtOtherUplinks() {
    if (!by_flow_ || s_.operation.two_way) return {};
    const auto solve = [this](double x) -> Result<std::pair<PriceLine, size_t>> {
      if (auto partition = CheapestPartition(layers_.At(x))) FOGLINE_CHECK(AddCut(*partition));
      const size_t found = *Cheapest([x](const Candidate& c) { return c.over_bandwidth.At(x); });
      return std::pair{plan_.candidates[found].over_bandwidth, found};
    };
    return LowerEnvelope<size_t>(1 / kFastest, 1 / kSlowest, solve).map([](const auto&) {});
  }

  std::vector<SegmentPiece> EnvelopeOf(PriceLine Candidate::*line, double Candidate::*until,
                                       double low, double high) const {
    std::vector<PriceSegment> segments;
    for (size_t i = 0; i < plan_.candidates.size(); ++i) {
      const Candidate& c = plan_.candidates[i];
      if (plan_.only_runnable && !c.runnable()) continue;
      segments.push_back({c.*line, !additive_, c.*until, i});
    }
    return LowerEnvelopeOf(segments, low, high);
  }

  void FindEnvelope() {
    // Loss lets no more through than so much: a faster uplink is as good as that one.
    plan_.fastest = s_.link.EffectiveRate(MegabitsPerSecond(kFastest)).value();
    const double low = 1 / plan_.fastest;
    const double high = std::max(1 / kSlowest, 2 * low);
    const auto pieces = EnvelopeOf(&Candidate::over_bandwidth, &Candidate::most_x, low, high);
    for (auto it = pieces.rbegin(); it != pieces.rend(); ++it) {
      plan_.envelope.push_back({1 / it->to, it->from == low ? kFastest : 1 / it->from, it->plan});
    }
    const double slowest = pieces.empty() ? low : pieces.back().to;
    if (slowest < high) plan_.nothing_below = pieces.empty() ? kFastest : 1 / slowest;
  }

  void FindLoadEnvelope() {
    const double high = 1 / (1 - kHighestLoad);
    const auto pieces = EnvelopeOf(&Candidate::over_load, &Candidate::most_stretch, 1, high);
    for (const SegmentPiece& piece : pieces) {
      plan_.load_envelope.push_back({1 - 1 / piece.from, 1 - 1 / piece.to, piece.plan});
    }
    const double last = pieces.empty() ? 1 : pieces.back().to;
    if (last < high) plan_.nothing_above_load = 1 - 1 / last;
  }

  void Certify(Price flow, bool proven) {
    Certificate& c = plan_.certificate;
    c.value = plan_.candidates[plan_.best].price;
    c.optimum = plan_.candidates[plan_.optimum()].price;
    c.flow = flow;
    c.flow_equals_cut = proven;
    // A flow knows no limits. It proves what it equals: a calibrated codec over several tensors at
    // once may beat the sum that it counted, and a division that nobody runs may beat the plan.
    const double gap = std::abs((flow - c.optimum).value());
    c.by_flow = by_flow_ && proven && s_.limits.Flags().empty() &&
                gap <= 1e-9 * std::abs(c.optimum.value());
    c.lower_bound = c.by_flow ? std::min(flow, c.optimum) : c.optimum;
  }

  Scenario& s_;
  bool additive_;
  bool by_flow_ = false;
  LayerProblem layers_;
  double x_;
  Plan plan_;
};

}  // namespace

bool Plan::Usable(size_t candidate) const {
  const Candidate& c = candidates[candidate];
  return c.feasible() && (c.runnable() || !only_runnable);
}

std::optional<size_t> Plan::BestOfCut(size_t cut) const {
  if (best != kNone && candidates[best].cut == cut) return best;
  std::optional<size_t> found;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].cut != cut) continue;
    const auto rank = [this](size_t c) {
      return std::tuple(!Usable(c), !candidates[c].feasible(), candidates[c].price);
    };
    if (!found || rank(i) < rank(*found)) found = i;
  }
  return found;
}

std::optional<size_t> Plan::BestOf(const Scenario& scenario, MechanismKind kind) const {
  const auto cut = IndexOf(scenario.cuts, kind);
  return cut ? BestOfCut(*cut) : std::nullopt;
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
