#include "plan/rivals.h"

#include <algorithm>
#include <tuple>

namespace fogline {
namespace {

/// Those that keep to the limits first, then those that are run, then the cheapest.
template <typename Wanted>
const Candidate* Best(const std::vector<Candidate>& candidates, const Wanted& wanted) {
  const Candidate* best = nullptr;
  for (const Candidate& c : candidates) {
    if (!wanted(c)) continue;
    const auto rank = [](const Candidate& x) {
      return std::tuple(!x.feasible(), !x.runnable(), x.price);
    };
    if (best == nullptr || rank(c) < rank(*best)) best = &c;
  }
  return best;
}

}  // namespace

std::vector<Rival> Rivals(const Scenario& scenario, const Plan& plan) {
  std::vector<Rival> rivals;
  const auto add = [&](const char* key, const char* title, const Candidate* c) {
    if (c != nullptr) rivals.push_back({key, title, *c});
  };
  const auto cut = [&](const Candidate& c) -> const Cut& { return scenario.cuts[c.cut]; };
  add("edge-only", "Everything on the device",
      Best(plan.candidates, [&](const Candidate& c) { return cut(c).is_edge_only(); }));
  add("cloud-only", "Everything in the cloud",
      Best(plan.candidates, [&](const Candidate& c) { return cut(c).is_cloud_only(); }));
  const size_t winner = plan.candidates[plan.best].cut;
  add("runner-up", "The next best line", Best(plan.candidates, [&](const Candidate& c) {
        return c.cut != winner && cut(c).is_split();
      }));
  if (plan.candidates[plan.best].gate) {
    add("no-exit", "The best without leaving early",
        Best(plan.candidates, [](const Candidate& c) { return !c.gate; }));
  }
  // Asked for by name, so that neither is left out.
  Scenario plain = scenario;
  plain.codecs = {"f32", "json"};
  const std::vector<Candidate> all = EnumerateCandidates(plain);
  const auto sent_as = [&](const char* codec) {
    return Best(all, [&, codec](const Candidate& c) {
      return c.payload.codec == codec && cut(c).is_split();
    });
  };
  add("split-f32", "The best split, uncompressed", sent_as("f32"));
  add("split-json", "The best split as JSON, as in the paper", sent_as("json"));
  return rivals;
}

}  // namespace fogline
