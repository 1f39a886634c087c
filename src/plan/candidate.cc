#include "plan/candidate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fogline {
namespace {

/// Time of one half of the model: as measured for this cut, or added up from its layers.
MeasuredTime HalfTime(const Timing& timing, const std::map<uint64_t, MeasuredTime>& measured,
                      const Cut& cut, bool edge_side) {
  if (const auto it = measured.find(cut.id); it != measured.end()) return it->second;
  Milliseconds sum;
  for (size_t n = 0; n < cut.edge.size(); ++n) {
    if (cut.edge[n] == edge_side) sum += timing.layers[n];
  }
  return {sum, sum};
}

/// Weights of the edge side and the most that one of its layers reads and writes.
Bytes EdgeMemory(const Model& model, const Cut& cut) {
  double widest = 0;
  for (size_t n = 0; n < cut.edge.size(); ++n) {
    if (!cut.edge[n]) continue;
    double moved = 0;
    for (const auto* list : {&model.nodes()[n].inputs, &model.nodes()[n].outputs}) {
      for (const int a : *list) {
        moved += static_cast<double>(model.activations()[static_cast<size_t>(a)].bytes());
      }
    }
    widest = std::max(widest, moved);
  }
  return Bytes(static_cast<double>(cut.edge_params) * 4 + widest);
}

class Evaluator {
 public:
  explicit Evaluator(const Scenario& scenario)
      : s_(scenario),
        pricing_(s_.objective, s_.operation, s_.edge, s_.cloud, s_.link),
        book_(*s_.model, s_.bundle, s_.codecs) {}

  void AddAt(size_t index, std::vector<Candidate>& out) const {
    const Cut& cut = s_.cuts[index];
    const bool all_on_edge = cut.edge_nodes == static_cast<int>(s_.model->nodes().size());
    Candidate base;
    base.cut = index;
    base.memory = EdgeMemory(*s_.model, cut);
    const MeasuredTime edge = HalfTime(s_.edge_timing, s_.edge_timing.prefix, cut, true);
    const MeasuredTime cloud = HalfTime(s_.cloud_timing, s_.cloud_timing.suffix, cut, false);
    base.latency.edge = edge.p50;
    base.latency.cloud = pricing_.Loaded(cloud.p50);
    if (!all_on_edge) {
      for (PayloadOption& payload : book_.At(cut)) {
        if (!Allowed(payload)) continue;
        base.payload = std::move(payload);
        out.push_back(Evaluate(base, cut, edge, cloud));
      }
      return;
    }
    if (s_.operation.deliver == Side::kEdge) {
      base.payload.codec = "none";
      base.payload.agreement = 1;
      out.push_back(Evaluate(base, cut, edge, cloud));
      return;
    }
    for (PayloadOption& payload : book_.Results()) {
      base.payload = std::move(payload);
      out.push_back(Evaluate(base, cut, edge, cloud));
    }
  }

 private:
  bool Allowed(const PayloadOption& payload) const {
    const bool asked = s_.limits.agreement || s_.limits.accuracy || !s_.codecs.empty();
    return asked || !payload.agreement ||
           *payload.agreement >= s_.limits.least_calibrated_agreement;
  }

  Candidate Evaluate(Candidate c, const Cut& cut, const MeasuredTime& edge,
                     const MeasuredTime& cloud) const {
    const bool crosses = c.payload.bytes > Bytes(0);
    const bool comes_back =
        s_.operation.deliver == Side::kEdge && cut.edge_nodes < static_cast<int>(cut.edge.size());
    c.up = c.payload.bytes;
    c.down = comes_back ? book_.Results().front().bytes : Bytes(0);
    const Milliseconds encode = c.payload.encode / s_.edge_timing.relative_speed;
    const Milliseconds decode = c.payload.decode / s_.cloud_timing.relative_speed;
    c.latency.encode = encode;
    c.latency.decode = pricing_.Loaded(decode);
    if (crosses) c.latency.uplink = pricing_.UpTime(c.up) + pricing_.UpDelay();
    if (comes_back) c.latency.downlink = pricing_.DownTime(c.down) + pricing_.DownDelay();

    c.latency_p95 = c.latency.total() + (edge.p95 - edge.p50) +
                    (pricing_.Loaded(cloud.p95) - pricing_.Loaded(cloud.p50));
    if (crosses && s_.link.trace) {
      c.uplink = s_.link.trace->TransferTimes(c.up + kMessageOverhead);
      c.latency_p95 += Milliseconds(c.uplink->p95) - pricing_.UpTime(c.up);
    }

    const Milliseconds cloud_busy = cloud.p50 + decode;
    const Milliseconds edge_busy = c.latency.edge + encode;
    c.energy = pricing_.EdgeEnergy(edge_busy) + pricing_.RadioEnergy(c.up, c.down);
    c.month = pricing_.PerMonth(edge_busy, cloud_busy, c.up, c.down);
    const Rent* rent = s_.cloud.rent ? &*s_.cloud.rent : nullptr;
    const int at_once = rent != nullptr ? std::max(1, rent->vcpus / s_.cloud.compute.threads) : 1;
    const Milliseconds air = crosses ? pricing_.UpTime(c.up) : Milliseconds(0);
    c.period = std::max({edge_busy, air, pricing_.Loaded(cloud_busy) / at_once});

    PriceLine& line = c.over_bandwidth;
    if (s_.objective.kind == Objective::Kind::kThroughput) {
      c.price = Price(c.period.value());
      line = {
          Price(std::max(edge_busy, pricing_.Loaded(cloud_busy) / at_once).value()),
          crosses ? Price(((c.up + kMessageOverhead) / MegabitsPerSecond(1)).value()) : Price(0)};
    } else {
      line.fixed = pricing_.Edge(edge_busy) + pricing_.Cloud(cloud_busy);
      if (crosses) {
        const PriceLine up = pricing_.Up(c.up);
        const PriceLine crossing = pricing_.Crossing();
        line = {line.fixed + up.fixed + crossing.fixed, up.slope + crossing.slope};
      }
      if (comes_back) line.fixed += pricing_.Down(c.down);
      c.price = line.At(pricing_.x());
      const Price stretched(s_.objective.per_ms * cloud_busy.value());
      c.over_load = {c.price - Price(s_.objective.per_ms * pricing_.Loaded(cloud_busy).value()),
                     stretched};
    }
    CheckLimits(c, cut);
    return c;
  }

  static void AtMost(Candidate& c, const char* flag, double have, double most) {
    if (have <= most) return;
    c.violations.push_back({flag, have, most, most > 0 ? have / most - 1 : have});
  }
  static void AtLeast(Candidate& c, const char* flag, const std::optional<double>& have,
                      double least) {
    if (have && *have >= least) return;
    const double value = have.value_or(std::numeric_limits<double>::quiet_NaN());
    c.violations.push_back({flag, value, least, have ? least - *have : 1e6});
  }

  void CheckLimits(Candidate& c, const Cut& cut) const {
    const Limits& l = s_.limits;
    if (l.latency) {
      const Milliseconds t = l.latency_at_p95 ? c.latency_p95 : c.latency.total();
      AtMost(c, l.latency_at_p95 ? "--max-latency-p95" : "--max-latency", t.value(),
             l.latency->value());
    }
    if (l.agreement) AtLeast(c, "--min-agreement", c.payload.agreement, *l.agreement);
    if (l.accuracy) AtLeast(c, "--min-accuracy", c.payload.accuracy, *l.accuracy);
    if (l.month) AtMost(c, "--max-cost", c.month.value(), l.month->value());
    if (l.memory) AtMost(c, "--max-memory", c.memory.value() / 1e6, l.memory->value() / 1e6);
    if (l.uplink_month) {
      const double sent = c.up > Bytes(0) ? (c.up + kMessageOverhead).value() : 0;
      AtMost(c, "--max-data", sent * s_.operation.images_per_month() / 1e9,
             l.uplink_month->value() / 1e9);
    }
    if (l.never_send_input) {
      const bool sends = std::ranges::any_of(cut.activations, [this](int a) {
        return s_.model->activations()[static_cast<size_t>(a)].producer < 0;
      });
      if (sends) c.violations.push_back({"--never-send-input", 1, 0, 1e6});
    }
    for (size_t n = 0; n < l.keep_on_edge.size(); ++n) {
      if (l.keep_on_edge[n] && !cut.edge[n]) {
        c.violations.push_back({"--not-before", 1, 0, 1e6});
        break;
      }
    }
  }

  const Scenario& s_;
  Pricing pricing_;
  PayloadBook book_;
};

}  // namespace

std::vector<Candidate> EnumerateCandidates(const Scenario& scenario) {
  const Evaluator evaluator(scenario);
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < scenario.cuts.size(); ++i) evaluator.AddAt(i, candidates);
  return candidates;
}

std::vector<Candidate> CandidatesAt(const Scenario& scenario, size_t cut) {
  std::vector<Candidate> candidates;
  Evaluator(scenario).AddAt(cut, candidates);
  return candidates;
}

}  // namespace fogline
