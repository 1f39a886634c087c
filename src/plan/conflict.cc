#include "plan/conflict.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

std::string Shown(const Violation& v) {
  if (std::isnan(v.have)) return fmt::format("{} {:g} (not calibrated)", v.limit, v.wanted);
  if (v.limit == "--never-send-input" || v.limit == "--not-before") return v.limit;
  return fmt::format("{} {:g} (has {:.4g})", v.limit, v.wanted, v.have);
}

std::string Name(const Scenario& scenario, const Candidate& c) {
  return fmt::format("cut {} ({}) as {}", scenario.cuts[c.cut].index, scenario.cuts[c.cut].name,
                     c.payload.codec);
}

/// Why none of these will do: a limit that none meets alone, or the nearest miss of the set.
Error NearestMiss(const Scenario& scenario, const std::vector<Candidate>& candidates) {
  const auto name = [&](const Candidate& c) { return Name(scenario, c); };
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

}  // namespace

Error NothingFeasible(const Scenario& scenario, const Plan& plan) {
  std::vector<Candidate> known;
  const Candidate* beyond = nullptr;
  for (const Candidate& c : plan.candidates) {
    if (c.runnable() || !plan.only_runnable) {
      known.push_back(c);
    } else if (c.feasible() && (beyond == nullptr || c.price < beyond->price)) {
      beyond = &c;
    }
  }
  Error error = NearestMiss(scenario, known);
  // A limit binds on this uplink, and perhaps not on a faster one.
  const auto easiest = std::ranges::max_element(known, {}, &Candidate::most_x);
  constexpr MegabitsPerSecond kFastest(1e5);
  if (easiest != known.end() &&
      easiest->most_x > 1 / scenario.link.EffectiveRate(kFastest).value()) {
    error.message += fmt::format("; from {:.3g} Mbit/s up {} would do", 1 / easiest->most_x,
                                 Name(scenario, *easiest));
  }
  if (beyond != nullptr) {
    error.message += fmt::format("; {} would do, but is not run yet ({}): --ideal",
                                 Name(scenario, *beyond), beyond->not_runnable);
  }
  return error;
}

}  // namespace fogline
