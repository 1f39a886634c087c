#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/plan_show.h"
#include "cost/fleet_cost.h"

namespace fogline::cli {
namespace {

constexpr size_t kBarWidth = 28;
constexpr size_t kManyRows = 24;
constexpr double kHopeless = 2.5;

std::string Ms(Milliseconds t) {
  const double v = t.value();
  return v == 0 ? "" : v < 10 ? fmt::format("{:.2f}", v) : fmt::format("{:.1f}", v);
}

std::string Money(Euro euro) { return fmt::format("{:.2f}", euro.value()); }

std::string Agreement(const Candidate& c) {
  return c.payload.agreement ? fmt::format("{:.1f}%", *c.payload.agreement * 100) : "?";
}

/// "▓▓▓▓▓░░███": edge, network, cloud of one row, to the scale of the slowest row.
std::string StackedBar(const LatencyTerms& l, double slowest, const TextStyle& style) {
  const double parts[] = {(l.edge + l.encode).value(), (l.uplink + l.downlink).value(),
                          (l.decode + l.cloud).value()};
  const char* unicode[] = {"█", "░", "▒"};
  const char* ascii[] = {"E", ".", "C"};
  const char* colors[] = {"\x1b[33m", "\x1b[90m", "\x1b[34m"};
  std::string bar;
  double sum = 0;
  size_t drawn = 0;
  for (size_t p = 0; p < 3; ++p) {
    sum += parts[p];
    const auto until = static_cast<size_t>(std::lround(sum / slowest * kBarWidth));
    if (until <= drawn) continue;
    if (style.color) bar += colors[p];
    for (; drawn < until; ++drawn) bar += style.unicode ? unicode[p] : ascii[p];
    if (style.color) bar += "\x1b[0m";
  }
  return bar;
}

std::string Mbps(double v) { return v >= 1e5 ? "" : fmt::format("{:.3g} Mbit/s", v); }

/// "below 2 Mbit/s", "from 2 Mbit/s to 9 Mbit/s", "from 9 Mbit/s up", "at any".
std::string UplinksText(const PlanStep& step) {
  const std::string to = Mbps(step.to);
  if (step.from <= 1.1e-3) return to.empty() ? "at any" : "below " + to;
  return "from " + Mbps(step.from) + (to.empty() ? " up" : " to " + to);
}

/// The cheapest at every uplink and load, and where nothing keeps to the limits.
std::string EnvelopeText(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const auto which = [&](const PlanStep& step) {
    const Candidate& c = plan.candidates[step.candidate];
    return fmt::format("{}, {}", CutTitle(s, c), c.payload.codec);
  };
  const bool weighed = plan.ties.size() > 1 && !s.strict;
  std::string out = fmt::format("As the uplink changes{}:\n",
                                weighed ? ", the cheapest (ties are not weighed here)" : "");
  if (const std::string gap = UplinkGapText(plan); !gap.empty()) out += "  " + gap + "\n";
  for (const PlanStep& step : plan.envelope) {
    out += fmt::format("  {}: {}\n", UplinksText(step), which(step));
  }
  const std::string gap = LoadGapText(plan);
  if (plan.load_envelope.size() > 1 || !gap.empty()) {
    out += "As the cloud fills up:\n";
    for (const PlanStep& step : plan.load_envelope) {
      out += fmt::format("  load {:.3g}% to {:.3g}%: {}\n", step.from * 100, step.to * 100,
                         which(step));
    }
    if (!gap.empty()) out += "  " + gap + "\n";
  }
  return out;
}

/// The table of cuts, with a bar each.
std::string CandidatesText(const PlanView& view, const TextStyle& style) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  double slowest = 1e-9;
  for (const size_t i : view.shown) {
    const double total = plan.candidates[i].latency.total().value();
    // One hopeless row shall not flatten the others.
    if (total < 20 * best.latency.total().value()) slowest = std::max(slowest, total);
  }
  Table table({{"cut", false, true},
               {"sends", false},
               {"agrees", true},
               {"edge", true},
               {"network", true},
               {"cloud", true},
               {"total ms", true},
               {"€/month", true},
               {"mJ", true},
               {"edge █ network ░ cloud ▒"}});
  size_t left_out = 0;
  for (const size_t i : view.shown) {
    const Candidate& c = plan.candidates[i];
    const double total = c.latency.total().value();
    // Long lists hide what nobody would choose; both extremes always show.
    const bool extreme = !s.cuts[c.cut].is_split();
    if (view.shown.size() > kManyRows && !extreme && c.price > best.price * kHopeless) {
      ++left_out;
      continue;
    }
    const bool off = total > slowest;
    std::string drawn =
        off ? std::string(style.unicode ? "→" : ">") : StackedBar(c.latency, slowest, style);
    table.Add({CutTitle(s, c), PayloadTitle(c), Agreement(c), Ms(c.latency.edge + c.latency.encode),
               Ms(c.latency.uplink + c.latency.downlink), Ms(c.latency.decode + c.latency.cloud),
               Ms(c.latency.total()), Money(c.month), fmt::format("{:.0f}", c.energy.value()),
               std::move(drawn)},
              i == plan.best    ? Table::Weight::kStrong
              : !plan.Usable(i) ? Table::Weight::kWeak
                                : Table::Weight::kNormal);
  }
  std::string out = table.ToText(style);
  if (left_out > 0) {
    out += fmt::format("({} cuts that cost over {:g} times as much are not shown)\n", left_out,
                       kHopeless);
  }
  return out;
}

}  // namespace

std::string PlanText(const PlanView& view, const TextStyle& style) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  std::string out =
      fmt::format("{} on {} + {} over {}: {:g} Mbit/s up, {}\n\n", s.model->where(), s.edge.name,
                  s.cloud.name, s.link.name, s.link.up.value(),
                  s.link.rtt_known ? fmt::format("{:g} ms round trip", s.link.rtt.value())
                                   : "round trip not known");
  out += CandidatesText(view, style);
  out += fmt::format(
      "\nBest for {}: {}, sending {} — {} ms ({} ms at p95), {} euro a month, {:.0f} mJ "
      "an image, {:.3g} images a second.\n",
      s.objective.kind == Objective::Kind::kWeighted     ? "the weighted sum"
      : s.objective.kind == Objective::Kind::kCost       ? "cost"
      : s.objective.kind == Objective::Kind::kEnergy     ? "energy"
      : s.objective.kind == Objective::Kind::kThroughput ? "throughput"
                                                         : "latency",
      CutTitle(s, best), PayloadTitle(best), Ms(best.latency.total()), Ms(best.latency_p95),
      Money(best.month), best.energy.value(), 1000 / best.period.value());
  if (best.gate) {
    const PlannedGate& gate = s.gates[*best.gate];
    out += fmt::format(
        "{:.1f} % of the pictures leave at {}, sure to {:.4g}; at most {:.2g} % of all get another "
        "class than from the whole network (95 % confidence).\n",
        100 * gate.promise.sure_share, gate.at, gate.promise.threshold,
        100 * gate.promise.disagreement_bound);
  }
  if (best.runnable()) {
    out += fmt::format("It runs as 'fogline edge --route {} …'.\n", ToString(RouteOf(s, best)));
  }
  for (const std::string& text : view.precision) out += text + "\n";
  if (best.uplink) {
    out += fmt::format(
        "Over the recorded link its uplink takes {:.1f} ms (p50), {:.1f} (p95), {:.1f} (p99).\n",
        best.uplink->p50, best.uplink->p95, best.uplink->p99);
  }
  if (const std::string ties = TiesText(s, plan); !ties.empty()) out += ties + "\n";
  out += ProofText(s, plan) + "\n";
  out += EnvelopeText(view);
  if (plan.two_way) {
    const double gain = (plan.certificate.optimum - plan.two_way->value).value();
    out += gain > 1e-9 * plan.certificate.optimum.value()
               ? fmt::format("Sending {} tensors back down would save {:.3g} {}.\n",
                             plan.two_way->down.size(), gain, s.objective.unit())
               : std::string("Sending tensors back down would gain nothing.\n");
  }
  for (const Explanation& e : view.explanations) {
    const Candidate& c = plan.candidates[e.rival];
    out += fmt::format("  {} ({}) {}\n", CutTitle(s, c), c.payload.codec, e.sentence);
  }
  for (const std::string& note : NotesOf(s, plan)) out += note + "\n";
  return out;
}

std::string FleetText(const PlanView& view, double devices) {
  const auto line = [&](const std::string& what, const Candidate& c) {
    const FleetCost f = FleetOf(view.scenario, c, devices);
    return fmt::format(
        "  {:.0f} € a month, {:.0f} instances — {} (a device: hardware {:.2f}, energy {:.2f}, data "
        "{:.2f}, cloud {:.2f})\n",
        f.euro_month, f.pool.instances, what, f.bill.hardware, f.bill.energy, f.bill.data,
        f.bill.cloud);
  };
  std::string out = fmt::format("A fleet of {:g} on {}:\n", devices, view.scenario.cloud.name);
  out += line("this plan", view.plan.candidates[view.plan.best]);
  for (const Rival& rival : view.rivals) out += line(rival.title, rival.candidate);
  return out;
}

}  // namespace fogline::cli
