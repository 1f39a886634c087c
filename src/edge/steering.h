// Which way the next picture goes.
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.h"

namespace fogline {

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
};

/// What is known when a picture asks for its way.
struct Observed {
  Nanos silence{0};  // how long frames have waited without a word from the cloud
  Nanos age{0};      // of the picture, since its first bytes were here
};

struct Choice {
  std::optional<size_t> route;  // none: the picture is passed over
  bool changed = false;         // another way than the picture before it
};

/// The rules by which an edge chooses, picture by picture: a state machine without clock, thread or
/// socket.
class Steering {
 public:
  explicit Steering(const SteeringRules& rules) : rules_(rules), last_(rules.usual) {}

  /// Whether a picture may be taken from its source now. `free`: places in the send window;
  /// `unsent`: pictures taken and not yet sent, each of which will want one.
  bool MayTake(size_t free, size_t unsent) const { return !rules_.latest || free > unsent; }

  /// Once for each picture that was taken, in their order.
  Choice Choose(const Observed& seen);

  const SteeringRules& rules() const { return rules_; }

 private:
  const SteeringRules rules_;
  size_t last_;
};

}  // namespace fogline
