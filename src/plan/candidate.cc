#include "plan/candidate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "codec/runnable.h"
#include "vision/exit_cut.h"

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
  return Bytes(static_cast<double>(cut.edge_weight_bytes) + widest);
}

/// Something with a limit, and how it grows with either parameter of an envelope.
struct Growth {
  double now = 0;
  double per_x = 0;        // x = 1 / (uplink Mbit/s)
  double per_stretch = 0;  // of the cloud's times
};

/// Up to where what grows by `rate` from `now` at `here` stays within `most`.
double LastWithin(double now, double rate, double here, double most) {
  if (rate > 0) return here + (most - now) / rate;
  return now <= most ? std::numeric_limits<double>::infinity() : -1;
}

class Evaluator {
 public:
  explicit Evaluator(const Scenario& scenario)
      : s_(scenario),
        pricing_(s_.objective, s_.operation, s_.edge, s_.cloud, s_.link),
        book_(*s_.model, s_.contract, s_.bundle, s_.codecs) {}

  void AddAt(size_t index, std::vector<Candidate>& out) const {
    const Cut& cut = s_.cuts[index];
    Candidate base;
    base.cut = index;
    base.memory = EdgeMemory(*s_.model, cut);
    const MeasuredTime edge = HalfTime(s_.edge_timing, s_.edge_timing.prefix, cut, true);
    const MeasuredTime cloud = HalfTime(s_.cloud_timing, s_.cloud_timing.suffix, cut, false);
    base.latency.edge = edge.p50;
    base.latency.cloud = pricing_.Loaded(cloud.p50);
    if (!cut.is_edge_only()) {
      std::vector<PayloadOption> payloads = book_.At(cut);
      const PayloadOption* picture = BestPicture(payloads);
      for (PayloadOption& payload : payloads) {
        const bool allowed = TakenUnasked(s_, payload);
        if (!allowed && &payload != picture) continue;
        base.payload = payload;
        out.push_back(Evaluate(base, cut, edge, cloud));
        if (!allowed) {
          AtLeast(out.back(), "--min-agreement", payload.agreement, s_.least_agreement);
        }
      }
      return;
    }
    for (PayloadOption& payload : Ends()) {
      base.payload = std::move(payload);
      out.push_back(Evaluate(base, cut, edge, cloud));
    }
  }

  /// Each of the candidates from `first` on, which are of one cut, with every exit before that.
  void AddGates(size_t first, std::vector<Candidate>& out) const {
    const size_t last = out.size();
    for (size_t g = 0; g < s_.gates.size() && first < last; ++g) {
      const Cut& cut = s_.cuts[out[first].cut];
      if (s_.gates[g].little) {
        if (cut.is_cloud_only()) AddCascade(first, last, g, out);
        continue;
      }
      if (cut.is_cloud_only() || !StandsBefore(s_.gates[g].cut, cut)) continue;
      const Candidate leaves = LeavingAt(s_.gates[g].cut);
      for (size_t i = first; i < last; ++i) out.push_back(Mix(leaves, out[i], g));
    }
  }

 private:
  /// What is sent of a picture that the edge is done with.
  std::vector<PayloadOption> Ends() const {
    if (s_.operation.deliver == Side::kEdge) return {book_.Nothing()};
    return book_.Results();
  }

  /// A picture that ends at an exit: a result of what runs up to there.
  Candidate LeavingAt(const Cut& exit) const {
    Candidate base;
    base.payload = Ends().front();
    const MeasuredTime edge = HalfTime(s_.edge_timing, s_.edge_timing.prefix, exit, true);
    base.latency.edge = edge.p50;
    return Evaluate(base, exit, edge, {}, true);
  }

  /// Each way to send a picture, behind a network that answers first.
  void AddCascade(size_t first, size_t last, size_t gate, std::vector<Candidate>& out) const {
    const PlannedGate::Little& little = *s_.gates[gate].little;
    const Cut& cut = s_.cuts[out[first].cut];
    const MeasuredTime edge{little.time, little.time};
    Candidate answered;
    answered.payload = Ends().front();
    answered.latency.edge = little.time;
    const Candidate leaves = Evaluate(answered, cut, edge, {}, true);
    for (size_t i = first; i < last; ++i) {
      if (!TakenUnasked(s_, out[i].payload)) continue;
      Candidate behind;
      behind.cut = out[i].cut;
      behind.memory = out[i].memory + little.memory;
      behind.payload = out[i].payload;
      behind.latency.edge = little.time;
      behind.latency.cloud = out[i].latency.cloud;
      const MeasuredTime cloud = HalfTime(s_.cloud_timing, s_.cloud_timing.suffix, cut, false);
      out.push_back(Mix(leaves, Evaluate(behind, cut, edge, cloud), gate));
    }
  }

  /// What pictures cost on average of which the gate's share are like the first, the others like
  /// the second.
  Candidate Mix(const Candidate& leaves, const Candidate& goes_on, size_t gate) const {
    const GatePromise& promise = s_.gates[gate].promise;
    const double share = promise.sure_share;
    const auto mean = [share](auto a, auto b) { return a * share + b * (1 - share); };
    const auto line = [&](const PriceLine& a, const PriceLine& b) {
      return PriceLine{mean(a.fixed, b.fixed), mean(a.slope, b.slope)};
    };
    Candidate c = goes_on;
    c.gate = gate;
    for (const auto term : {&LatencyTerms::edge, &LatencyTerms::encode, &LatencyTerms::uplink,
                            &LatencyTerms::decode, &LatencyTerms::cloud, &LatencyTerms::downlink}) {
      c.latency.*term = mean(leaves.latency.*term, goes_on.latency.*term);
    }
    c.latency_p95 = MixtureP95(share, leaves.latency.total(), leaves.latency_p95,
                               goes_on.latency.total(), goes_on.latency_p95);
    c.uplink.reset();
    c.payload.bytes = mean(leaves.payload.bytes, goes_on.payload.bytes);
    c.payload.headers = mean(leaves.payload.headers, goes_on.payload.headers);
    c.payload.exact = false;
    if (c.payload.agreement) {
      c.payload.agreement = std::max(0.0, *c.payload.agreement - promise.disagreement_bound);
    }
    // What the labels or the user's own metric would say of the exit, nobody measured.
    c.payload.accuracy.reset();
    c.payload.metric.reset();
    c.up = mean(leaves.up, goes_on.up);
    c.down = mean(leaves.down, goes_on.down);
    c.energy = mean(leaves.energy, goes_on.energy);
    c.month = mean(leaves.month, goes_on.month);
    c.over_bandwidth = line(leaves.over_bandwidth, goes_on.over_bandwidth);
    c.over_load = line(leaves.over_load, goes_on.over_load);
    for (const auto part : {&PriceParts::edge, &PriceParts::cloud, &PriceParts::link,
                            &PriceParts::edge_spread, &PriceParts::cloud_spread}) {
      c.parts.*part = mean(leaves.parts.*part, goes_on.parts.*part);
    }
    const Milliseconds cloud = (c.latency.decode + c.latency.cloud) / CloudAtOnce();
    const Milliseconds air = mean(AirTime(leaves), AirTime(goes_on));
    c.period = std::max({c.latency.edge + c.latency.encode, air, cloud});
    if (c.parts.largest) {
      c.over_bandwidth.fixed = std::max(c.parts.edge, c.parts.cloud);
      c.over_load.fixed = std::max(c.parts.edge, c.parts.link);
    }
    c.price = c.parts.total();
    c.violations.clear();
    CheckLimits(c, s_.cuts[c.cut], (c.latency.decode + c.latency.cloud) * Unload());
    return c;
  }

  double Unload() const { return 1 - s_.operation.cloud_load; }

  /// The picture as JPEG or WebP always takes part, if only to be ruled out: the one that agrees
  /// most when none agrees enough. nullptr when one does.
  const PayloadOption* BestPicture(const std::vector<PayloadOption>& payloads) const {
    const PayloadOption* best = nullptr;
    for (const PayloadOption& payload : payloads) {
      const auto codec = ParseCodec(payload.codec);
      if (!codec || !CodesPictures(*codec)) continue;
      if (TakenUnasked(s_, payload)) return nullptr;
      if (best == nullptr || payload.agreement > best->agreement) best = &payload;
    }
    return best;
  }

  /// `ends`: the edge is done with the picture at this cut, whatever lies behind it.
  Candidate Evaluate(Candidate c, const Cut& cut, const MeasuredTime& edge,
                     const MeasuredTime& cloud, bool ends = false) const {
    if (c.payload.agreement) c.payload.agreement = s_.AgreementOf(*c.payload.agreement);
    c.payload.exact &= s_.network_agreement == 1;
    const bool crosses = Crosses(c);
    const bool comes_back = s_.operation.deliver == Side::kEdge && !cut.is_edge_only() && !ends;
    c.up = crosses ? c.payload.sent() : Bytes(0);
    c.down = comes_back ? book_.Results().front().sent() : Bytes(0);
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
    const Milliseconds air = AirTime(c);
    c.period = std::max({edge_busy, air, pricing_.Loaded(cloud_busy) / CloudAtOnce()});

    SetPrice(c, edge_busy, cloud_busy, {edge.p95 - edge.p50, cloud.p95 - cloud.p50});
    CheckLimits(c, cut, cloud.p95 + decode);
    c.not_runnable = WhyNotRunnable(cut, c.payload);
    return c;
  }

  /// Why edge and cloud cannot run this as it stands, in words that end a sentence; empty when they
  /// can.
  std::string WhyNotRunnable(const Cut& cut, const PayloadOption& payload) const {
    std::optional<CodecName> codec;
    if (const auto parsed = ParseCodec(payload.codec)) codec = *parsed;
    if (const auto obstacle = WhyNotRun(s_.contract, cut, codec)) return obstacle->why;
    const bool back = s_.operation.deliver == Side::kEdge && !cut.is_edge_only();
    return back ? "the cloud keeps its results, none is sent back yet" : "";
  }

  bool Crosses(const Candidate& c) const { return c.payload.bytes > Bytes(0); }
  /// Of a picture on the uplink, without its delay.
  Milliseconds AirTime(const Candidate& c) const {
    return Crosses(c) ? pricing_.UpTime(c.up) : Milliseconds(0);
  }

  /// The price, its parts, and its lines over both parameters. `spread`: what the 95th percentile
  /// of either half adds.
  void SetPrice(Candidate& c, Milliseconds edge_busy, Milliseconds cloud_busy,
                const std::pair<Milliseconds, Milliseconds>& spread) const {
    const bool crosses = Crosses(c);
    PriceLine& line = c.over_bandwidth;
    if (s_.objective.kind == Objective::Kind::kThroughput) {
      const auto stage = [](Milliseconds t) { return Price(t.value()); };
      const Milliseconds cloud = cloud_busy / CloudAtOnce();
      const Milliseconds air = crosses ? pricing_.UpTime(c.up) : Milliseconds(0);
      c.parts = {stage(edge_busy),
                 stage(pricing_.Loaded(cloud)),
                 stage(air),
                 stage(spread.first),
                 stage(pricing_.Loaded(spread.second / CloudAtOnce())),
                 true};
      c.price = c.parts.total();
      const Bytes sent = crosses ? c.up + kMessageOverhead : Bytes(0);
      line = {std::max(c.parts.edge, c.parts.cloud), stage(sent / MegabitsPerSecond(1))};
      c.over_load = {std::max(c.parts.edge, c.parts.link), stage(cloud)};
      return;
    }
    c.parts.edge = pricing_.Edge(edge_busy);
    c.parts.cloud = pricing_.Cloud(cloud_busy);
    line.fixed = c.parts.edge + c.parts.cloud;
    if (crosses) {
      const PriceLine up = pricing_.Up(c.up);
      const PriceLine crossing = pricing_.Crossing();
      line = {line.fixed + up.fixed + crossing.fixed, up.slope + crossing.slope};
    }
    if (c.down > Bytes(0)) line.fixed += pricing_.Down(c.down);
    c.price = line.At(pricing_.x());
    c.parts.link = c.price - c.parts.edge - c.parts.cloud;
    c.parts.edge_spread = pricing_.Edge(spread.first);
    c.parts.cloud_spread = pricing_.Cloud(spread.second);
    const Price stretched(s_.objective.per_ms * cloud_busy.value());
    c.over_load = {c.price - Price(s_.objective.per_ms * pricing_.Loaded(cloud_busy).value()),
                   stretched};
  }

  int CloudAtOnce() const {
    const Rent* rent = s_.cloud.rent ? &*s_.cloud.rent : nullptr;
    return rent != nullptr ? std::max(1, rent->vcpus / s_.cloud.compute.threads) : 1;
  }

  static void Break(Candidate& c, Violation violation) {
    c.violations.push_back(std::move(violation));
    c.most_x = c.most_stretch = -1;
  }
  static void AtLeast(Candidate& c, const char* flag, const std::optional<double>& have,
                      double least) {
    if (have && *have >= least) return;
    const double value = have.value_or(std::numeric_limits<double>::quiet_NaN());
    Break(c, {flag, value, least, have ? least - *have : 1e6});
  }
  /// What either parameter bears on holds up to some value of it, here or not.
  void AtMost(Candidate& c, const char* flag, const Growth& have, double most) const {
    if (have.now > most) {
      c.violations.push_back({flag, have.now, most, most > 0 ? have.now / most - 1 : have.now});
    }
    const double stretch = 1 / (1 - s_.operation.cloud_load);
    c.most_x = std::min(c.most_x, LastWithin(have.now, have.per_x, pricing_.x(), most));
    c.most_stretch =
        std::min(c.most_stretch, LastWithin(have.now, have.per_stretch, stretch, most));
  }

  /// `cloud_p95`: of decoding and the suffix, without other load.
  void CheckLimits(Candidate& c, const Cut& cut, Milliseconds cloud_p95) const {
    const Limits& l = s_.limits;
    c.most_x = c.most_stretch = std::numeric_limits<double>::infinity();
    const Bytes sent = Crosses(c) ? c.up + kMessageOverhead : Bytes(0);
    const double slow = (sent / MegabitsPerSecond(1)).value();
    if (l.latency && !l.latency_at_p95) {
      const double cloud = (c.latency.decode + c.latency.cloud).value();
      const double unload = 1 - s_.operation.cloud_load;
      AtMost(c, "--max-latency", {c.latency.total().value(), slow, cloud * unload},
             l.latency->value());
    }
    if (l.latency && l.latency_at_p95) {
      AtMost(c, "--max-latency-p95",
             {c.latency_p95.value(), c.uplink ? 0 : slow, cloud_p95.value()}, l.latency->value());
      if (c.uplink) c.most_x = std::min(c.most_x, LastXOfTrace(c, sent));
    }
    if (l.agreement) AtLeast(c, "--min-agreement", c.payload.agreement, *l.agreement);
    if (l.accuracy) AtLeast(c, "--min-accuracy", c.payload.accuracy, *l.accuracy);
    if (l.metric) AtLeast(c, "--min-metric", c.payload.metric, *l.metric);
    if (l.month) {
      const Bytes no_headers = Crosses(c) ? c.up : Bytes(0);
      const double radio = pricing_.EuroPerX(no_headers);
      AtMost(c, "--max-cost", {c.month.value(), radio, 0}, l.month->value());
    }
    if (l.memory)
      AtMost(c, "--max-memory", {c.memory.value() / 1e6, 0, 0}, l.memory->value() / 1e6);
    if (l.uplink_month) {
      AtMost(c, "--max-data", {sent.value() * s_.operation.images_per_month() / 1e9, 0, 0},
             l.uplink_month->value() / 1e9);
    }
    if (l.never_send_input) {
      const bool sends = std::ranges::any_of(cut.activations, [this](int a) {
        return s_.model->activations()[static_cast<size_t>(a)].producer < 0;
      });
      if (sends) Break(c, {"--never-send-input", 1, 0, 1e6});
    }
    for (size_t n = 0; n < l.keep_on_edge.size(); ++n) {
      if (l.keep_on_edge[n] && !cut.edge[n]) {
        Break(c, {"--not-before", 1, 0, 1e6});
        break;
      }
    }
  }

  /// The same recording with all its rates slowed down alike until its p95 breaks the limit.
  double LastXOfTrace(const Candidate& c, Bytes sent) const {
    const Milliseconds rest = c.latency_p95 - Milliseconds(c.uplink->p95);
    const Bytes most = s_.link.trace->MostWithin(*s_.limits.latency - rest);
    return pricing_.x() * (most / sent);
  }

  const Scenario& s_;
  Pricing pricing_;
  PayloadBook book_;
};

}  // namespace

Route RouteOf(const Scenario& scenario, const Candidate& candidate) {
  const Cut& cut = scenario.cuts[candidate.cut];
  std::vector<CodecName> codecs;
  const auto codec = ParseCodec(candidate.payload.codec);
  if (codec && !cut.is_edge_only()) codecs.assign(cut.tensors.size(), *codec);
  Route route = RouteAt(*scenario.model, cut, std::move(codecs));
  if (candidate.gate) {
    const PlannedGate& gate = scenario.gates[*candidate.gate];
    route.gate = ExitGate{{gate.at, 0}, gate.promise.threshold};
  }
  if (scenario.contract.takes_pictures()) {
    route.height = scenario.contract.picture.height;
    route.width = scenario.contract.picture.width;
  }
  return route;
}

bool TakenUnasked(const Scenario& s, const PayloadOption& payload) {
  const Limits& l = s.limits;
  if (l.agreement || l.accuracy || l.metric || !s.codecs.empty()) return true;
  if (payload.agreement) return *payload.agreement >= s.least_agreement;
  return payload.estimate;  // of a picture, where nobody has calibrated any
}

Milliseconds MixtureP95(double share, Milliseconds first, Milliseconds first_p95,
                        Milliseconds second, Milliseconds second_p95) {
  constexpr double kAt95 = 1.6448536269514722;  // standard deviations above a normal's median
  const auto below = [](double at, Milliseconds median, Milliseconds p95) {
    const double deviation = std::max((p95 - median).value() / kAt95, 1e-12);
    return 0.5 * std::erfc((median.value() - at) / deviation / std::numbers::sqrt2);
  };
  double low = std::min(first, second).value();
  double high = std::max({first, first_p95, second, second_p95}).value();
  low -= high - low + 1;  // a p95 below its median would be no such thing
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    const double under =
        share * below(middle, first, first_p95) + (1 - share) * below(middle, second, second_p95);
    (under < 0.95 ? low : high) = middle;
  }
  return Milliseconds(high);
}

std::vector<Candidate> EnumerateCandidates(const Scenario& scenario) {
  const Evaluator evaluator(scenario);
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < scenario.cuts.size(); ++i) {
    const size_t first = candidates.size();
    evaluator.AddAt(i, candidates);
    evaluator.AddGates(first, candidates);
  }
  return candidates;
}

std::vector<Candidate> CandidatesAt(const Scenario& scenario, size_t cut) {
  std::vector<Candidate> candidates;
  const Evaluator evaluator(scenario);
  evaluator.AddAt(cut, candidates);
  evaluator.AddGates(0, candidates);
  return candidates;
}

}  // namespace fogline
