#include "plan/words.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace fogline {
namespace {

constexpr size_t kMostTies = 3;  // named one by one

std::string Amount(const Scenario& s, Price price) {
  return fmt::format("{:.4g} {}", price.value(), s.objective.unit());
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  return text;
}

std::string Which(const Scenario& s, const Candidate& c) {
  return fmt::format("{} as {}", CutTitle(s, c), c.payload.codec);
}

std::string AgreementText(const Candidate& c) {
  if (!c.payload.agreement) return "agreement not known";
  return fmt::format("agrees {:.4g} %", *c.payload.agreement * 100);
}

}  // namespace

std::string CutTitle(const Scenario& scenario, const Candidate& candidate) {
  const Cut& cut = scenario.cuts[candidate.cut];
  std::string title = cut.index < 0 ? cut.name : fmt::format("cut {}", cut.index);
  if (!cut.alias.empty()) title += " · " + cut.alias;
  if (!cut.is_split()) title = NameOf(cut.mechanism());
  if (candidate.gate) {
    const PlannedGate& gate = scenario.gates[*candidate.gate];
    title += gate.little ? ", behind " + gate.at : ", exit at " + gate.at;
  }
  return title;
}

std::string PayloadTitle(const Candidate& c) {
  if (c.up <= Bytes(0)) return "nothing";
  return fmt::format("{} {}{}", c.payload.codec, c.payload.estimate ? "~" : "",
                     HumanBytes(c.payload.bytes.value()));
}

std::string ProofText(const Scenario& s, const Plan& plan) {
  const Certificate& proof = plan.certificate;
  const std::string tie = plan.best == plan.optimum()
                              ? std::string()
                              : fmt::format("the plan costs {:.6g} {}, a tie; ",
                                            proof.value.value(), s.objective.unit());
  const std::string least = fmt::format("{:.6g} {}", proof.lower_bound.value(), s.objective.unit());
  if (proof.by_flow) {
    return fmt::format(
        "Proof: {}no division of the layers, however many tensors cross, can cost less than {} "
        "(maximum flow over the layers equals the cut).",
        tie, least);
  }
  const char* what =
      s.gates.empty() ? "a cut with a codec" : "a cut with a codec, with and without an early exit";
  const std::vector<std::string> limits = s.limits.Flags();
  std::string among;
  if (plan.only_runnable) among += " that edge and cloud run";
  if (!limits.empty()) {
    among += fmt::format("{} that keep to {}", among.empty() ? "" : " and", Joined(limits));
  }
  if (among.empty()) {
    return fmt::format(
        "Proof: {}all {} candidates ({}) were evaluated, and none "
        "costs less than {}; divisions beyond them are not ruled out.",
        tie, plan.candidates.size(), what, least);
  }
  return fmt::format(
      "Proof: {}all {} candidates ({}) were evaluated; of the {}{} "
      "none costs less than {}.",
      tie, plan.candidates.size(), what, proof.within, among, least);
}

std::string TiesText(const Scenario& s, const Plan& plan) {
  std::vector<std::string> named;
  size_t more = 0;
  const Candidate& best = plan.candidates[plan.best];
  for (const Tie& tie : plan.ties) {
    if (tie.candidate == plan.best) continue;
    if (named.size() == kMostTies) {
      ++more;
      continue;
    }
    const Candidate& c = plan.candidates[tie.candidate];
    const double gap = (c.price - best.price).value();
    named.push_back(fmt::format("{} ({} {}, {:.2f} euro a month, {})", Which(s, c),
                                Amount(s, Price(std::abs(gap))), gap < 0 ? "less" : "more",
                                c.month.value(), AgreementText(c)));
  }
  if (named.empty()) return {};
  if (more > 0) named.push_back(fmt::format("{} more", more));
  const char* rule = s.strict ? "the cheapest was asked for (--strict)"
                     : plan.best == plan.optimum()
                         ? "the plan changes no more verdicts than they do"
                         : "of those that tie, the one that changes the fewest verdicts is taken, "
                           "then the cheaper "
                           "in money; --strict takes the cheapest";
  return fmt::format("Within the uncertainty of the times ({}) lie also {}: {}.",
                     UncertaintyText(s), Joined(named), rule);
}

std::string UplinkGapText(const Plan& plan) {
  if (plan.nothing_below <= 0) return {};
  return fmt::format("nothing keeps to the limits below {:.3g} Mbit/s", plan.nothing_below);
}

std::string LoadGapText(const Plan& plan) {
  if (plan.nothing_above_load >= 1) return {};
  return fmt::format("nothing keeps to the limits above a load of {:.3g} %",
                     plan.nothing_above_load * 100);
}

std::vector<std::string> NotesOf(const Scenario& s, const Plan& plan) {
  std::vector<std::string> notes;
  if (plan.beyond) {
    const Candidate& c = plan.candidates[*plan.beyond];
    const Price gain = plan.candidates[plan.optimum()].price - c.price;
    notes.push_back(
        fmt::format("{} would cost {} less, but edge and cloud do not run it yet: {} "
                    "(--ideal recommends it all the same).",
                    Which(s, c), Amount(s, gain), c.not_runnable));
  }
  if (plan.best != Plan::kNone && !plan.candidates[plan.best].runnable()) {
    notes.push_back(fmt::format("Edge and cloud do not run this plan yet: {}.",
                                plan.candidates[plan.best].not_runnable));
  }
  const auto unknown = [](const CalibratedPair& pair) { return !pair.agreement; };
  const Limits& l = s.limits;
  const bool asked = l.agreement || l.accuracy || l.metric || !s.codecs.empty();
  if (!asked && s.bundle != nullptr && std::ranges::any_of(s.bundle->pairs(), unknown)) {
    notes.emplace_back(
        "The bundle does not say how well its codecs agree with the whole network: only lossless "
        "ones and f16 were considered; calibrate again, or say what you want with --codec.");
  }
  if (s.link.trace) {
    notes.push_back(
        fmt::format("The uplink is a recording{}{}; the way down is taken to be as fast.",
                    s.link.trace->taken().empty() ? "" : ": ", s.link.trace->taken()));
  }
  if (!s.link.rtt_known) {
    notes.emplace_back(
        "The round trip is not known and counts as 0 ms: add it to the link, as in ,rtt=40ms.");
  }
  if (s.bundle == nullptr && s.codecs.empty()) {
    notes.emplace_back(
        "No --bundle: only exact codecs and estimated JPEG sizes were considered; `fogline "
        "calibrate` finds smaller ones.");
  }
  return notes;
}

}  // namespace fogline
