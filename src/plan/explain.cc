#include "plan/explain.h"

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

/// What each term of a candidate costs under the objective.
std::vector<TermDifference> TermsOf(const Scenario& s, const Candidate& c) {
  const Pricing pricing(s.objective, s.operation, s.edge, s.cloud, s.link);
  if (s.objective.kind == Objective::Kind::kThroughput) {
    const double air = c.up > Bytes(0) ? pricing.UpTime(c.up).value() : 0;
    const double edge = (c.latency.edge + c.latency.encode).value();
    const double cloud = std::max(edge, c.period.value());
    if (air >= c.period.value()) return {{"the link as the bottleneck", air}};
    if (edge >= c.period.value()) return {{"the edge as the bottleneck", edge}};
    return {{"the cloud as the bottleneck", cloud}};
  }
  const double unload = 1 - s.operation.cloud_load;
  std::vector<TermDifference> terms{
      {"edge", pricing.Edge(c.latency.edge).value()},
      {"encode", pricing.Edge(c.latency.encode).value()},
      {"decode", pricing.Cloud(c.latency.decode * unload).value()},
      {"cloud", pricing.Cloud(c.latency.cloud * unload).value()},
  };
  if (c.up > Bytes(0)) {
    const double up = pricing.Up(c.up).At(pricing.x()).value();
    terms.push_back({"uplink", up + pricing.Crossing().At(pricing.x()).value()});
  }
  if (c.down > Bytes(0)) terms.push_back({"downlink", pricing.Down(c.down).value()});
  return terms;
}

std::vector<TermDifference> Subtract(std::vector<TermDifference> a,
                                     const std::vector<TermDifference>& b) {
  for (const TermDifference& term : b) {
    const auto it = std::ranges::find(a, term.term, &TermDifference::term);
    if (it == a.end()) {
      a.push_back({term.term, -term.amount});
    } else {
      it->amount -= term.amount;
    }
  }
  std::erase_if(a, [](const TermDifference& t) { return std::abs(t.amount) < 1e-12; });
  std::ranges::stable_sort(a, std::greater(),
                           [](const TermDifference& t) { return std::abs(t.amount); });
  return a;
}

/// `tie`: how far the difference may be off, where it is no more than that.
std::string Sentence(const Scenario& s, const Candidate& rival, bool run, double gap,
                     const Price* tie, const std::vector<TermDifference>& terms) {
  if (!rival.feasible()) {
    std::string broken;
    for (const Violation& v : rival.violations) {
      broken += (broken.empty() ? "" : " and ") + v.limit;
    }
    return "is ruled out by " + broken;
  }
  const std::string_view unit = s.objective.unit();
  std::string text = std::abs(gap) <= 1e-12 ? "costs the same"
                     : gap < 0              ? fmt::format("costs {:.3g} {} less", -gap, unit)
                     : tie != nullptr       ? fmt::format("costs {:.3g} {} more", gap, unit)
                                            : fmt::format("loses by {:.3g} {}", gap, unit);
  if (!run) {
    text += ", but is not run yet: " + rival.not_runnable;
  } else if (tie != nullptr) {
    text += fmt::format(", within ±{:.2g} of uncertainty", tie->value());
  }
  for (size_t i = 0; i < std::min<size_t>(2, terms.size()); ++i) {
    text += fmt::format("{}{} {:.3g} {}", i == 0 ? ": " : ", ", terms[i].term,
                        std::abs(terms[i].amount), terms[i].amount > 0 ? "more" : "less");
  }
  return text;
}

}  // namespace

std::vector<Explanation> Explain(const Scenario& scenario, const Plan& plan, size_t most) {
  const std::vector<size_t> each = plan.BestOfEachCut();
  const Candidate& winner = plan.candidates[plan.best];
  std::vector<size_t> rivals;
  const auto add = [&](size_t candidate) {
    const bool known = std::ranges::find(rivals, candidate) != rivals.end();
    if (plan.candidates[candidate].cut != winner.cut && !known) rivals.push_back(candidate);
  };
  // Both extremes first, whatever they cost.
  for (const size_t candidate : each) {
    if (!scenario.cuts[plan.candidates[candidate].cut].is_split()) add(candidate);
  }
  std::vector<size_t> others = each;
  std::ranges::stable_sort(
      others, {}, [&](size_t i) { return std::pair(!plan.Usable(i), plan.candidates[i].price); });
  for (const size_t candidate : others) {
    if (rivals.size() >= most) break;
    add(candidate);
  }

  const std::vector<TermDifference> own = TermsOf(scenario, winner);
  std::vector<Explanation> explanations;
  for (const size_t rival : rivals) {
    const Candidate& c = plan.candidates[rival];
    Explanation e{rival, Subtract(TermsOf(scenario, c), own), {}};
    const auto tie = std::ranges::find(plan.ties, rival, &Tie::candidate);
    const bool run = c.runnable() || !plan.only_runnable;
    e.sentence = Sentence(scenario, c, run, (c.price - winner.price).value(),
                          tie == plan.ties.end() ? nullptr : &tie->uncertainty, e.terms);
    explanations.push_back(std::move(e));
  }
  std::ranges::stable_sort(explanations, {},
                           [&](const Explanation& e) { return plan.candidates[e.rival].price; });
  return explanations;
}

}  // namespace fogline
