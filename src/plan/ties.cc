#include "plan/ties.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fogline {
namespace {

/// The price when a side's times are `edge` and `cloud` times what they are thought to be.
double Under(PriceParts parts, double edge, double cloud) {
  parts.edge = parts.edge * edge;
  parts.cloud = parts.cloud * cloud;
  return parts.total().value();
}

/// How far a − b moves when one side is off by `error` either way.
double ByFactor(const PriceParts& a, const PriceParts& b, double error, bool edge) {
  const double known = (a.total() - b.total()).value();
  double most = 0;
  for (const double factor : {1 - error, 1 + error}) {
    const double e = edge ? factor : 1, c = edge ? 1 : factor;
    most = std::max(most, std::abs(Under(a, e, c) - Under(b, e, c) - known));
  }
  return most;
}

/// By both sides' factors.
double ByFactors(const PriceParts& a, const PriceParts& b, double edge, double cloud) {
  return std::hypot(ByFactor(a, b, edge, true), ByFactor(a, b, cloud, false));
}

/// How far one candidate's own price moves when its measured halves take as long as they did in 5
/// of 100 runs.
double BySpread(const PriceParts& parts) {
  PriceParts slow = parts;
  slow.edge += parts.edge_spread;
  const double edge = (slow.total() - parts.total()).value();
  slow = parts;
  slow.cloud += parts.cloud_spread;
  return std::hypot(edge, (slow.total() - parts.total()).value());
}

std::string ErrorOf(const char* side, const Timing& timing) {
  if (timing.measured() && timing.error() == 0) {
    return fmt::format("{} {}: the spread of the measured runs", side, timing.machine);
  }
  if (timing.error() > 0) {
    return fmt::format("{} {}: {:.3g} %, {}", side, timing.machine, timing.error() * 100,
                       timing.error_source);
  }
  return fmt::format("{} {}: none stated", side, timing.machine);
}

}  // namespace

Price UncertaintyBetween(const Scenario& s, const Candidate& a, const Candidate& b) {
  const double off = ByFactors(a.parts, b.parts, s.edge_timing.error(), s.cloud_timing.error());
  return Price(a.cut == b.cut ? off : std::hypot(off, BySpread(a.parts), BySpread(b.parts)));
}

Price UncertaintyAcross(const Scenario& s, const Candidate& a, const Scenario& other,
                        const Candidate& b) {
  const auto own = [](const Scenario& of, const PriceParts& parts) {
    PriceParts nothing = parts;
    nothing.edge = nothing.cloud = Price(0);
    return std::hypot(
        ByFactors(parts, nothing, of.edge_timing.integers_error, of.cloud_timing.integers_error),
        BySpread(parts));
  };
  const double both =
      ByFactors(a.parts, b.parts, s.edge_timing.relative_error, s.cloud_timing.relative_error);
  return Price(std::hypot(both, own(s, a.parts), own(other, b.parts)));
}

std::vector<Tie> FindTies(const Scenario& scenario, const std::vector<Candidate>& candidates,
                          const std::vector<size_t>& among, size_t cheapest) {
  const Candidate& best = candidates[cheapest];
  std::vector<Tie> ties{{cheapest, Price(0), Price(0)}};
  for (const size_t i : among) {
    if (i == cheapest) continue;
    const Price difference = candidates[i].price - best.price;
    const Price uncertainty = UncertaintyBetween(scenario, candidates[i], best);
    // Rounding is no difference.
    if (difference.value() > uncertainty.value() + 1e-12 * std::abs(best.price.value())) continue;
    ties.push_back({i, difference, uncertainty});
  }
  std::ranges::stable_sort(ties.begin() + 1, ties.end(), {}, &Tie::difference);
  return ties;
}

size_t Preferred(const std::vector<Candidate>& candidates, const std::vector<Tie>& ties) {
  const auto rank = [&](const Tie& tie) {
    const Candidate& c = candidates[tie.candidate];
    return std::tuple(-c.payload.agreement.value_or(-1), !c.payload.exact, c.month, c.price);
  };
  return std::ranges::min_element(ties, {}, rank)->candidate;
}

std::string UncertaintyText(const Scenario& s) {
  return fmt::format("{}; {}", ErrorOf("edge", s.edge_timing), ErrorOf("cloud", s.cloud_timing));
}

}  // namespace fogline
