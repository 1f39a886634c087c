#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

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

/// Edge, network, cloud of one row, to the scale of the slowest row.
Cell TimeBar(const LatencyTerms& l, double slowest, const TextStyle& style) {
  return StackedBar({{(l.edge + l.encode).value() / slowest, Ink::kEdge},
                     {(l.uplink + l.downlink).value() / slowest, Ink::kNetwork},
                     {(l.decode + l.cloud).value() / slowest, Ink::kCloud}},
                    kBarWidth, style);
}

std::string Mbps(double v) { return v >= 1e5 ? "" : Figure(v) + " Mbit/s"; }

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
      out += fmt::format("  load {}% to {}%: {}\n", Figure(step.from * 100), Figure(step.to * 100),
                         which(step));
    }
    if (!gap.empty()) out += "  " + gap + "\n";
  }
  return out;
}

/// The rows that are shown: long lists hide what nobody would choose, and never an extreme.
std::vector<size_t> RowsOf(const PlanView& view) {
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  std::vector<size_t> rows;
  for (const size_t i : view.shown) {
    const Candidate& c = plan.candidates[i];
    const bool extreme = !view.scenario.cuts[c.cut].is_split();
    const bool hopeless = view.shown.size() > kManyRows && c.price > best.price * kHopeless;
    if (extreme || !hopeless) rows.push_back(i);
  }
  return rows;
}

/// The table of cuts, with a bar each; the best has a star.
std::string CandidatesText(const PlanView& view, const TextStyle& style) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  const std::vector<size_t> rows = RowsOf(view);
  double slowest = 1e-9;
  for (const size_t i : rows) {
    const double total = plan.candidates[i].latency.total().value();
    // One hopeless row shall not flatten the others.
    if (total < 20 * best.latency.total().value()) slowest = std::max(slowest, total);
  }
  const std::string legend = fmt::format("edge {} network {} cloud {}", SignOf(Ink::kEdge, style),
                                         SignOf(Ink::kNetwork, style), SignOf(Ink::kCloud, style));
  Table table({{"cut", false, true},
               {"sends"},
               {"agrees", true},
               {"edge", true, false, 1},
               {"network", true, false, 1},
               {"cloud", true, false, 1},
               {"total ms", true},
               {"€/month", true},
               {"mJ", true, false, 2},
               {legend, false, false, 3}});
  for (const size_t i : rows) {
    const Candidate& c = plan.candidates[i];
    const bool off = c.latency.total().value() > slowest;
    const bool chosen = i == plan.best;
    table.Add({(chosen ? style.unicode ? "★ " : "* " : "  ") + CutTitle(s, c), PayloadTitle(c),
               Agreement(c), Ms(c.latency.edge + c.latency.encode),
               Ms(c.latency.uplink + c.latency.downlink), Ms(c.latency.decode + c.latency.cloud),
               Ms(c.latency.total()), Money(c.month), fmt::format("{:.0f}", c.energy.value()),
               off ? Cell(style.unicode ? "→" : ">") : TimeBar(c.latency, slowest, style)},
              chosen            ? Table::Weight::kStrong
              : !plan.Usable(i) ? Table::Weight::kWeak
                                : Table::Weight::kNormal);
  }
  std::string out = table.ToText(style);
  if (const size_t left_out = view.shown.size() - rows.size(); left_out > 0) {
    out += fmt::format("({} cuts that cost over {:g} times as much are not shown)\n", left_out,
                       kHopeless);
  }
  return out;
}

/// What is best, in figures.
std::string VerdictText(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  std::string out = fmt::format(
      "Best for {}: {}, sending {} — {} ms ({} ms at p95), {} euro a month, {:.0f} mJ "
      "an image, {} images a second.\n",
      s.objective.kind == Objective::Kind::kWeighted     ? "the weighted sum"
      : s.objective.kind == Objective::Kind::kCost       ? "cost"
      : s.objective.kind == Objective::Kind::kEnergy     ? "energy"
      : s.objective.kind == Objective::Kind::kThroughput ? "throughput"
                                                         : "latency",
      CutTitle(s, best), PayloadTitle(best), Ms(best.latency.total()), Ms(best.latency_p95),
      Money(best.month), best.energy.value(), Figure(1000 / best.period.value()));
  if (best.gate) {
    const PlannedGate& gate = s.gates[*best.gate];
    out += fmt::format(
        "{:.1f} % of the pictures leave at {}, sure to {:.4g}; at most {} % of all get another "
        "class than from the whole network (95 % confidence).\n",
        100 * gate.promise.sure_share, gate.at, gate.promise.threshold,
        Figure(100 * gate.promise.disagreement_bound));
  }
  for (const std::string& text : view.precision) out += text + "\n";
  if (best.uplink) {
    out += fmt::format(
        "Over the recorded link its uplink takes {:.1f} ms (p50), {:.1f} (p95), {:.1f} (p99).\n",
        best.uplink->p50, best.uplink->p95, best.uplink->p99);
  }
  if (const std::string ties = TiesText(s, plan); !ties.empty()) out += ties + "\n";
  return out;
}

/// What to type next: the two daemons that run the plan, and the device's service.
std::string NextText(const PlanView& view, const TextStyle& style) {
  const Scenario& s = view.scenario;
  const Candidate& best = view.plan.candidates[view.plan.best];
  if (!best.runnable()) return {};
  const std::filesystem::path model = s.model->where();
  const std::string runs = fmt::format("--model {} --route {} --source SOURCE", model.string(),
                                       ToString(RouteOf(s, best)));
  const std::string folder = model.has_parent_path() ? model.parent_path().string() : ".";
  return FitLines(
             "\nRun it, where SOURCE is a folder, /dev/video0, rtsp://… (docs/cameras.md has all "
             "of it):\n",
             style.width) +
         fmt::format(
             "  fogline edge {0} --broker mqtt://BROKER --device NAME\n"
             "  fogline cloud --models {1} --broker mqtt://BROKER --store sqlite:fogline.db "
             "--http 127.0.0.1:8080\n"
             "As a service, in the device's /etc/fogline/edge.env:\n"
             "  FOGLINE_FLAGS=--device NAME {0} --spool spool\n",
             runs, folder);
}

}  // namespace

std::string PlanText(const PlanView& view, const TextStyle& style) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const std::string title = fmt::format(
      "{} on {} + {} over {}: {} Mbit/s up, {}\n", s.model->where(), s.edge.name, s.cloud.name,
      s.link.name, Figure(s.link.up.value()),
      s.link.rtt_known ? Figure(s.link.rtt.value()) + " ms round trip" : "round trip not known");
  std::string below = ProofText(s, plan) + "\n" + EnvelopeText(view);
  if (plan.two_way) {
    const double gain = (plan.certificate.optimum - plan.two_way->value).value();
    below += gain > 1e-9 * plan.certificate.optimum.value()
                 ? fmt::format("Sending {} tensors back down would save {} {}.\n",
                               plan.two_way->down.size(), Figure(gain), s.objective.unit())
                 : std::string("Sending tensors back down would gain nothing.\n");
  }
  for (const Explanation& e : view.explanations) {
    const Candidate& c = plan.candidates[e.rival];
    below += fmt::format("  {} ({}) {}\n", CutTitle(s, c), c.payload.codec, e.sentence);
  }
  for (const std::string& note : NotesOf(s, plan)) below += note + "\n";
  // Commands are not parted, so that they can be copied.
  return FitLines(title + VerdictText(view) + "\n", style.width) + CandidatesText(view, style) +
         FitLines("\n" + below, style.width) + NextText(view, style);
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
  std::string out =
      fmt::format("A fleet of {} on {}:\n", Figure(devices), view.scenario.cloud.name);
  out += line("this plan", view.plan.candidates[view.plan.best]);
  for (const Rival& rival : view.rivals) out += line(rival.title, rival.candidate);
  return out;
}

}  // namespace fogline::cli
