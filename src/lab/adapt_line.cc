#include "lab/adapt_line.h"

#include <algorithm>
#include <deque>
#include <random>

namespace fogline {
namespace {

const AdaptRegime& RegimeAt(const AdaptWorld& world, double ms) {
  const auto after = std::ranges::upper_bound(world.regimes, ms, {}, &AdaptRegime::from_ms);
  return after == world.regimes.begin() ? world.regimes.front() : *std::prev(after);
}

double LeavesAt(const AdaptWorld& world, double start_ms, double bytes) {
  return start_ms + world.uplink.TransferTime(Bytes(bytes), Milliseconds(start_ms)).value();
}

class FixedPilot final : public AdaptPilot {
 public:
  explicit FixedPilot(size_t route) : route_(route) {}
  size_t Next(double, int) override { return route_; }

 private:
  const size_t route_;
};

class SteeredPilot final : public AdaptPilot {
 public:
  explicit SteeredPilot(const std::vector<AdaptRoute>& routes) : chooser_(Priced(routes)) {}

  size_t Next(double now_ms, int) override {
    const RouteChooser::Pick pick = chooser_.Next(now_ms);
    ticket_ = pick.ticket;
    return pick.route;
  }
  void Sent(double now_ms, bool left) override {
    chooser_.Sent(ticket_, now_ms, left);
    sent_.push_back(ticket_);
  }
  void Heard(const RouteChooser::Answer& answer) override {
    RouteChooser::Answer mine = answer;
    mine.ticket = sent_.front();
    sent_.pop_front();
    chooser_.Heard(mine);
  }
  uint64_t probes() const { return chooser_.probes(); }

 private:
  static std::vector<PricedRoute> Priced(const std::vector<AdaptRoute>& routes) {
    std::vector<PricedRoute> priced;
    priced.reserve(routes.size());
    for (const AdaptRoute& route : routes) priced.push_back(route.Priced());
    return priced;
  }

  RouteChooser chooser_;
  uint64_t ticket_ = 0;
  std::deque<uint64_t> sent_;
};

/// Takes what ends first, as the line will be.
class ClairvoyantPilot final : public AdaptPilot {
 public:
  ClairvoyantPilot(const AdaptWorld& world, const std::vector<AdaptRoute>& routes)
      : world_(world), routes_(routes) {}

  size_t Next(double now_ms, int) override {
    size_t best = 0;
    double least = 0, least_left = 0;
    for (size_t r = 0; r < routes_.size(); ++r) {
      const PricedRoute priced = routes_[r].Priced();
      const double left = LeavesAt(world_, std::max(now_ms + priced.edge_ms, free_), priced.bytes);
      const double ends = left + priced.cloud_ms * RegimeAt(world_, left).stretch;
      if (r == 0 || ends < least) {
        best = r;
        least = ends;
        least_left = left;
      }
    }
    free_ = least_left;
    return best;
  }

 private:
  const AdaptWorld& world_;
  const std::vector<AdaptRoute>& routes_;
  double free_ = 0;  // when the uplink is
};

}  // namespace

PricedRoute AdaptRoute::Priced() const {
  const double on = 1 - sure_share;
  PricedRoute priced;
  priced.edge_ms = sure_share * sure_edge_ms + on * edge_ms;
  priced.bytes = sure_share * sure_bytes + on * bytes;
  priced.cloud_ms = on * cloud_ms;
  priced.sure_share = sure_share;
  return priced;
}

AdaptRun RunAdapt(const AdaptWorld& world, const std::vector<AdaptRoute>& routes,
                  AdaptPilot& pilot) {
  AdaptRun run;
  std::mt19937_64 random(world.seed * 7919 + 13);
  const auto share = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::deque<RouteChooser::Answer> under_way;
  const auto hear = [&] {
    pilot.Heard(under_way.front());
    under_way.pop_front();
  };
  double device_free = 0, link_free = 0, last_answer = 0;
  for (int i = 0; i < world.pictures; ++i) {
    const double wobble = share(), late = share(), sure = share();
    const double taken = i * world.period_ms;
    const double start = std::max(taken, device_free);
    while (!under_way.empty() && under_way.front().answered_ms <= start) hear();
    const size_t r = pilot.Next(start, i);
    const AdaptRoute& route = routes[r];
    run.switches += !run.routes.empty() && run.routes.back() != r ? 1 : 0;
    run.routes.push_back(r);
    const bool left = sure < route.sure_share;
    const double edge = (left ? route.sure_edge_ms : route.edge_ms) * (1 + 0.03 * (wobble - 0.5));
    double sent = start + edge;
    while (under_way.size() >= kAdaptWindow) {
      sent = std::max(sent, under_way.front().answered_ms);
      hear();
    }
    device_free = sent;
    pilot.Sent(sent, left);
    const double bytes = left ? route.sure_bytes : route.bytes;
    link_free = LeavesAt(world, std::max(sent, link_free), bytes);
    const AdaptRegime& regime = RegimeAt(world, link_free);
    const double cloud = left ? 0 : route.cloud_ms * regime.stretch;
    const double answered =
        std::max(link_free + regime.round_trip_ms + world.jitter_ms * late + cloud, last_answer);
    last_answer = answered;
    under_way.push_back({0, bytes, sent, answered, answered - sent - cloud, cloud});
    run.latency_ms.push_back(answered - taken);
  }
  return run;
}

AdaptRun RunFixed(const AdaptWorld& world, const std::vector<AdaptRoute>& routes, size_t route) {
  FixedPilot pilot(route);
  return RunAdapt(world, routes, pilot);
}

AdaptRun RunSteered(const AdaptWorld& world, const std::vector<AdaptRoute>& routes) {
  SteeredPilot pilot(routes);
  AdaptRun run = RunAdapt(world, routes, pilot);
  run.probes = pilot.probes();
  return run;
}

AdaptRun RunClairvoyant(const AdaptWorld& world, const std::vector<AdaptRoute>& routes) {
  ClairvoyantPilot pilot(world, routes);
  return RunAdapt(world, routes, pilot);
}

}  // namespace fogline
