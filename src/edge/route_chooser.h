// Which of several priced routes the next picture takes, on a line that nobody knows beforehand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "edge/line_sense.h"

namespace fogline {

/// What a picture costs that goes a route, in milliseconds: edge_ms + bytes · x + cloud_ms · s and
/// a delay that all routes share, where x is what a byte costs and s how much longer than alone the
/// cloud takes. Means over pictures, those among them that leave at the route's gate.
struct PricedRoute {
  double edge_ms = 0;
  double bytes = 0;  // of the whole message
  double cloud_ms = 0;
  double sure_share = 0;  // of pictures that leave at the gate, which the cloud has no work with
  /// Up to where the plan's limits hold.
  double most_ms_per_byte = std::numeric_limits<double>::infinity();
  double most_stretch = std::numeric_limits<double>::infinity();
};

/// Chooses by what the frames before it met; docs/steering.md has the argument. A pure state
/// machine: no clock, thread or socket. Not thread-safe. Times in milliseconds of one clock that
/// does not go back; one that does counts as standing still.
class RouteChooser {
 public:
  /// One route at least.
  explicit RouteChooser(std::vector<PricedRoute> routes);

  struct Pick {
    size_t route = 0;
    uint64_t ticket = 0;  // of the picture, for what follows; never 0
    bool probe = false;   // not the route that seems best: to learn what another would cost
  };
  /// Once a picture, in their order.
  Pick Next(double now_ms);

  /// What the device's own part of a picture took.
  void Worked(size_t route, double edge_ms);
  /// Its frame goes out; `left`: with the verdict of the route's gate.
  void Sent(uint64_t ticket, double now_ms, bool left);
  /// It has none, or nobody will hear of it.
  void Lost(uint64_t ticket);

  struct Answer {
    uint64_t ticket = 0;
    double bytes = 0;
    double sent_ms = 0, answered_ms = 0;  // by the clock
    /// There and back, without what the cloud says that it took; nothing where it was sent twice.
    std::optional<double> network_ms;
    double cloud_ms = 0;  // waiting for a worker, decoding, suffix; 0: an older cloud says nothing
  };
  void Heard(const Answer& answer);

  const LineSense& line() const { return line_; }
  /// As the memory has it that is believed most.
  double ms_per_byte() const { return line_.fit(trusted_).ms_per_byte(); }
  double stretch() const { return line_.stretch(trusted_); }
  uint64_t probes() const { return probes_; }

 private:
  using Choices = std::array<size_t, LineSense::kCount>;
  /// What each memory would have each picture do, and how that would have gone.
  struct Adviser {
    size_t route = 0;
    double loss = 0;                // fading sum of what its choices would have cost
    std::vector<double> congested;  // by route: mean wait for frames that outlast their turn
  };
  struct Pending {
    uint64_t ticket = 0;
    size_t route = 0;
    bool probe = false;
    Choices advice{};
    std::optional<double> sent_ms;
    bool left = false;
  };
  struct Weather {
    double ms_per_byte = 0, stretch = 1, delay_ms = 0;
  };

  double Now(double now_ms);
  void LearnPeriod(double now_ms);
  double EdgeMs(size_t route) const;
  double Cost(size_t route, const Weather& weather) const;
  double Congestion(size_t route, double ms_per_byte) const;
  bool Within(size_t route, const Weather& weather) const;
  size_t Cheapest(const Weather& weather, size_t keep, double margin,
                  const std::vector<double>* congested) const;
  size_t Smallest() const;
  double Implied(double now_ms) const;
  bool UnderWay(const Pending& pending) const;
  size_t InFlight() const;
  Weather WeatherOf(size_t memory, double implied) const;
  std::optional<size_t> Probe(size_t usual, double implied);
  std::optional<size_t> Larger(size_t usual, size_t best, double more_bytes) const;
  std::deque<Pending>::iterator Find(uint64_t ticket);
  void Forget(const std::deque<Pending>::iterator& pending);
  void Settle(uint64_t ticket);
  double OwnTime(const Answer& answer) const;
  void Charge(const Pending& probe, const Answer& answer, double network_ms);
  void Judge(const Choices& advice, const LineSense::Lesson& lesson);

  const std::vector<PricedRoute> routes_;
  LineSense line_;
  std::array<Adviser, LineSense::kCount> advisers_;
  size_t trusted_ = 0;  // the adviser that is followed
  std::deque<Pending> pending_;
  uint64_t next_ticket_ = 1, last_heard_ = 0;
  double now_ms_ = 0;
  std::optional<double> last_pick_ms_, period_ms_, last_answer_ms_;
  double largest_ = 0;  // bytes of a frame, of late
  // Of the device's own part: how it does against the policy, and how each route does.
  double edge_ratio_ = 1, worked_ = 0;
  std::vector<double> edge_mean_, edge_count_;
  // Probes are paid for.
  double purse_ms_ = 0, probe_base_ms_ = 0;
  bool probe_away_ = false;
  uint64_t probes_ = 0;
};

}  // namespace fogline
