// Which way the next picture goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "edge/delivery.h"
#include "edge/route_chooser.h"

namespace fogline {

/// A route of a policy.
struct PolicyWay {
  size_t route = 0;  // place in the pool
  PricedRoute price;
};

/// What an edge may do, by place in its pool of routes.
struct SteeringRules {
  size_t usual = 0;
  /// Taken once the cloud was silent for longer than `fallback`.
  std::optional<size_t> local = std::nullopt;
  Nanos fallback{0};
  /// Only the newest picture counts: none is taken before it can go at once, and one that is older
  /// than `deadline` all the same (0: never) is passed over. Otherwise every picture goes.
  bool latest = false;
  Nanos deadline{0};
  /// The usual way is none, but what suits the line among these; empty: it is `usual`.
  std::vector<PolicyWay> ways = {};
};

/// What is known when a picture asks for its way.
struct Observed {
  Nanos silence{0};  // how long frames have waited without a word from the cloud
  Nanos age{0};      // of the picture, since its first bytes were here
  Nanos now{0};      // by the steady clock
};

struct Choice {
  std::optional<size_t> route;  // none: the picture is passed over
  bool changed = false;         // another way than the picture before it
  bool alone = false;           // all of the network here, since the cloud is silent
  bool probe = false;           // not what seems best: to learn what another way would cost
  uint64_t ticket = 0;          // of the picture, for what follows; 0: nothing needs to
};

/// The rules by which an edge chooses, picture by picture: a state machine without clock, thread or
/// socket. Not thread-safe.
class Steering {
 public:
  explicit Steering(const SteeringRules& rules);

  /// Whether a picture may be taken from its source now. `free`: places in the send window;
  /// `unsent`: pictures taken and not yet sent, each of which will want one.
  bool MayTake(size_t free, size_t unsent) const { return !rules_.latest || free > unsent; }

  /// Once for each picture that was taken, in their order.
  Choice Choose(const Observed& seen);

  // What became of a picture, for the choices after it.
  /// The device's own part of it took so long.
  void Worked(const Choice& choice, double edge_ms);
  /// Its frame goes out; `left`: with the verdict of the route's gate.
  void Sent(const Choice& choice, Nanos now, bool left);
  /// There is none to be answered.
  void Lost(const Choice& choice);
  /// The cloud answered.
  void Heard(const Delivery& delivery);

  const SteeringRules& rules() const { return rules_; }
  /// What is believed of the line; null where nothing is chosen by it.
  const RouteChooser* chooser() const { return chooser_ ? &*chooser_ : nullptr; }

 private:
  const SteeringRules rules_;
  size_t last_;
  std::optional<RouteChooser> chooser_;  // where there are ways
};

}  // namespace fogline
