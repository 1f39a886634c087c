// The cheapest plan for every value of one parameter at once, from a few calls of an exact solver.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

#include "base/result.h"
#include "plan/partition.h"

namespace fogline {

/// What one fixed plan costs as a function of the parameter x ≥ 0: fixed + slope · x.
struct PriceLine {
  Price fixed;
  Price slope;  // per unit of x

  Price At(double x) const { return fixed + slope * x; }
};

/// A plan that is cheapest for every x between `from` and `to`.
template <typename Plan>
struct EnvelopePiece {
  double from = 0;
  double to = 0;
  PriceLine line;
  Plan plan;
};

/// The lower envelope over [low, high]. `solve(x)` gives the cheapest plan at x and its line, as
/// Result<std::pair<PriceLine, Plan>>. A plan's cost is a line, so the minimum over all plans is
/// concave and piecewise linear: where two neighbouring pieces' lines meet, either nothing is
/// cheaper and the meeting point is an exact break point, or a new piece has been found (Eisner &
/// Severance 1976). Takes at most 2 · pieces + 1 calls.
template <typename Plan, typename Solve>
Result<std::vector<EnvelopePiece<Plan>>> LowerEnvelope(double low, double high,
                                                       const Solve& solve) {
  using Piece = EnvelopePiece<Plan>;
  const auto at = [&solve](double x) -> Result<Piece> {
    auto found = solve(x);
    if (!found) return Forward(std::move(found));
    return Piece{x, x, found->first, std::move(found->second)};
  };
  FOGLINE_TRY(Piece first, at(low));
  FOGLINE_TRY(Piece last, at(high));
  std::vector<Piece> done;
  std::vector<Piece> ahead;  // pieces met and not yet joined, the nearest last
  ahead.push_back(std::move(last));
  done.push_back(std::move(first));
  while (!ahead.empty()) {
    Piece& left = done.back();
    Piece& right = ahead.back();
    const double faster = (left.line.slope - right.line.slope).value();
    const double gap = (right.line.fixed - left.line.fixed).value();
    const double meet = faster > 0 ? gap / faster : right.from;
    const auto near = [](Price a, Price b) {
      return std::abs((a - b).value()) <= 1e-9 * (std::abs(a.value()) + std::abs(b.value()));
    };
    // Two lines that agree at both ends are one piece, even when the plans differ in a tie.
    if (near(left.line.At(left.from), right.line.At(left.from)) &&
        near(left.line.At(right.to), right.line.At(right.to))) {
      left.to = right.to;
      ahead.pop_back();
      continue;
    }
    if (!(meet > left.from && meet < right.to)) {
      // A tie at an end of the range: one of the two is cheapest on all of it.
      if (meet <= left.from) {
        right.from = left.from;
        left = std::move(right);
      } else {
        left.to = right.to;
      }
      ahead.pop_back();
      continue;
    }
    FOGLINE_TRY(Piece middle, at(meet));
    const Price there = left.line.At(meet);
    if (middle.line.At(meet) < there && !near(middle.line.At(meet), there)) {
      ahead.push_back(std::move(middle));
      continue;
    }
    left.to = meet;
    right.from = meet;
    done.push_back(std::move(right));
    ahead.pop_back();
  }
  return done;
}

}  // namespace fogline
