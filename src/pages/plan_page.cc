#include "pages/plan_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "plan/words.h"
#include "report/bar_chart.h"
#include "report/page.h"
#include "report/xy_chart.h"

namespace fogline {
namespace {

std::string Ms(double v) {
  return v >= 100  ? fmt::format("{:.0f} ms", v)
         : v >= 10 ? fmt::format("{:.1f} ms", v)
                   : fmt::format("{:.2f} ms", v);
}

std::string Tip(const Scenario& s, const Candidate& c) {
  const LatencyTerms& l = c.latency;
  std::string tip = fmt::format("{}\n{}", CutTitle(s, c), PayloadTitle(c));
  if (c.payload.agreement) tip += fmt::format("\nagrees {:.1f} %", *c.payload.agreement * 100);
  tip += fmt::format("\nedge {} · encode {}\nnetwork {}\ndecode {} · cloud {}\ntotal {}",
                     Ms(l.edge.value()), Ms(l.encode.value()), Ms((l.uplink + l.downlink).value()),
                     Ms(l.decode.value()), Ms(l.cloud.value()), Ms(l.total().value()));
  tip += fmt::format("\n{:.2f} € a month · {:.0f} mJ", c.month.value(), c.energy.value());
  for (const Violation& v : c.violations) tip += "\nruled out by " + v.limit;
  if (!c.runnable()) tip += "\nnot run yet: " + c.not_runnable;
  return tip;
}

/// Figures 7 to 9 of the paper: one bar a cut, its parts stacked.
std::string LatencyBars(const PlanView& view) {
  BarChart chart;
  chart.label = "Latency of every cut, stacked by where the time goes";
  chart.x_title = "cut";
  chart.y.title = "ms an image";
  const Scenario& s = view.scenario;
  const double best = view.plan.candidates[view.plan.best].latency.total().value();
  // A tensor too large for the link would flatten every other bar: those are cut off, and say so.
  const double most = 6 * best;
  BarChart::Part parts[] = {{"edge", Tone::kEdge, {}},
                            {"encode", Tone::kEncode, {}},
                            {"network", Tone::kNetwork, {}},
                            {"decode", Tone::kDecode, {}},
                            {"cloud", Tone::kCloud, {}}};
  double highest = 0;
  for (const size_t i : view.shown) {
    const Candidate& c = view.plan.candidates[i];
    const LatencyTerms& l = c.latency;
    const Cut& cut = s.cuts[c.cut];
    std::string name = CutTitle(s, c);
    if (cut.is_split()) {
      name = cut.alias.starts_with("split") ? cut.alias : std::to_string(cut.index);
    }
    if (i == view.plan.best) name = fmt::format("★ {}", name);
    chart.categories.push_back(name);
    chart.tips.push_back(Tip(s, c));
    const double values[] = {l.edge.value(), l.encode.value(), (l.uplink + l.downlink).value(),
                             l.decode.value(), l.cloud.value()};
    const double total = l.total().value();
    const double shrink = total > most ? most / total : 1;
    for (size_t p = 0; p < 5; ++p) parts[p].values.push_back(values[p] * shrink);
    highest = std::max(highest, std::min(total, most));
  }
  chart.y.high = highest;
  chart.parts.assign(std::begin(parts), std::end(parts));
  return chart.Render();
}

std::string EnvelopeChart(const PlanView& view) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const bool period = s.objective.kind == Objective::Kind::kThroughput;
  XYChart chart;
  chart.label = "Cost of the best plan over the uplink's bandwidth";
  chart.x.title = "uplink, Mbit/s";
  chart.x.log = true;
  chart.x.label = [](double v) { return fmt::format("{:g}", v); };
  chart.y.title = std::string(s.objective.unit());
  // Two decades on either side of the break points and of the link itself.
  double low = s.link.up.value(), high = low;
  for (const PlanStep& step : plan.envelope) {
    if (step.from > 1.1e-3 || plan.nothing_below > 0) low = std::min(low, step.from);
    if (step.to < 0.9e5) high = std::max(high, step.to);
  }
  low = std::max(1e-3, low / 8);
  high = std::min(1e5, high * 8);
  chart.x.low = low;
  chart.x.high = high;
  const auto at = [period, &plan](const Candidate& c, double uplink) {
    const PriceLine& l = c.over_bandwidth;
    const double mbps = std::min(uplink, plan.fastest);
    return period ? std::max(l.fixed.value(), l.slope.value() / mbps) : l.At(1 / mbps).value();
  };
  const auto line = [&](const Candidate& c, double from, double to, const std::string& tip) {
    std::vector<Series::Point> points;
    constexpr int kSteps = 24;
    for (int i = 0; i <= kSteps; ++i) {
      const double x = from * std::pow(to / from, static_cast<double>(i) / kSteps);
      points.push_back({x, at(c, x), i == kSteps / 2 ? tip : ""});
    }
    return points;
  };
  size_t tone = 0;
  double top = 0;
  for (const PlanStep& step : plan.envelope) {
    const double from = std::max(low, step.from), to = std::min(high, step.to);
    if (from >= to) continue;
    const Candidate& c = plan.candidates[step.candidate];
    const std::string name = fmt::format("{}, {}", CutTitle(s, c), c.payload.codec);
    const std::string range =
        fmt::format("{} is best from {} to {} Mbit/s", name, Figure(step.from), Figure(step.to));
    chart.series.push_back(
        {name, SeriesTone(tone), Series::Style::kLine, line(c, from, to, range)});
    chart.bands.push_back({from, to, range, tone % 2 == 1});
    top = std::max(top, chart.series.back().points.front().y);
    ++tone;
  }
  chart.y.high = top * 1.15;
  chart.marks.push_back(
      {s.link.up.value(), s.link.trace ? "mean of the trace" : "this link", "", true});
  return chart.Render();
}

std::string ParetoChart(const PlanView& view) {
  const Scenario& s = view.scenario;
  XYChart chart;
  chart.label = "Every candidate by two measures, with those that no other beats in both";
  chart.x.title = std::string(MeasureTitle(view.x));
  chart.y.title = std::string(MeasureTitle(view.y));
  Series all{"candidates", Tone::kSlate, Series::Style::kDots, {}};
  Series front{"no other beats it in both", Tone::kNetwork, Series::Style::kDots, {}};
  Series best{"the plan", Tone::kRed, Series::Style::kDots, {}};
  const Candidate& winner = view.plan.candidates[view.plan.best];
  const double far_x = 8 * MeasureOf(winner, view.x), far_y = 8 * MeasureOf(winner, view.y);
  for (size_t i = 0; i < view.plan.candidates.size(); ++i) {
    const Candidate& c = view.plan.candidates[i];
    const double x = MeasureOf(c, view.x), y = MeasureOf(c, view.y);
    const bool on_front = std::ranges::find(view.front, i) != view.front.end();
    if (!std::isfinite(x) || !std::isfinite(y) || !c.feasible()) continue;
    // What is far from anything useful only squeezes the rest into a corner.
    if (!on_front && ((far_x > 0 && x > far_x) || (far_y > 0 && y > far_y))) continue;
    Series& series = i == view.plan.best ? best : on_front ? front : all;
    series.points.push_back({x, y, Tip(s, c)});
  }
  chart.series = {std::move(all), std::move(front), std::move(best)};
  return chart.Render();
}

Table CandidateTable(const PlanView& view) {
  const Scenario& s = view.scenario;
  Table table({{"cut", false, true},
               {"sends"},
               {"bytes", true},
               {"agrees", true},
               {"edge ms", true},
               {"network ms", true},
               {"cloud ms", true},
               {"total ms", true},
               {"p95 ms", true},
               {"€/month", true},
               {"mJ", true},
               {"images/s", true}});
  for (const size_t i : view.shown) {
    const Candidate& c = view.plan.candidates[i];
    const auto number = [](double v, int digits = 2) {
      return Cell(fmt::format("{:.{}f}", v, digits), v);
    };
    const LatencyTerms& l = c.latency;
    table.Add({Cell(CutTitle(s, c), static_cast<double>(c.cut)), c.payload.codec,
               Cell(fmt::format("{}{}", c.payload.estimate ? "~" : "", HumanBytes(c.up.value())),
                    c.up.value()),
               c.payload.agreement ? number(*c.payload.agreement * 100, 1) : Cell("?", -1),
               number((l.edge + l.encode).value()), number((l.uplink + l.downlink).value()),
               number((l.decode + l.cloud).value()), number(l.total().value()),
               number(c.latency_p95.value()), number(c.month.value()), number(c.energy.value(), 0),
               number(1000 / c.period.value(), 1)},
              i == view.plan.best    ? Table::Weight::kStrong
              : !view.plan.Usable(i) ? Table::Weight::kWeak
                                     : Table::Weight::kNormal);
  }
  return table;
}

Table SourceTable(const Scenario& s) {
  Table table({{"what"}, {"name"}, {"figures"}, {"source"}});
  for (const auto& [what, machine, timing] :
       {std::tuple("edge", &s.edge, &s.edge_timing), {"cloud", &s.cloud, &s.cloud_timing}}) {
    std::string error = machine->fit && !timing->measured()
                            ? fmt::format(
                                  "layer times fitted; a network left out is off by {:.0f} % "
                                  "in the median",
                                  machine->fit->left_out_median * 100)
                            : "measured";
    table.Add(
        {what, machine->title.empty() ? machine->name : machine->title, error, timing->source});
    if (machine->power && what == std::string("edge")) {
      table.Add(
          {"power", machine->name,
           fmt::format("{} to {} W", machine->power->idle.value(), machine->power->busy.value()),
           machine->power->source});
    }
    if (machine->purchase && what == std::string("edge")) {
      table.Add({"price", machine->name, fmt::format("{} €", machine->purchase->value()),
                 machine->purchase_source});
    }
    if (machine->rent && what == std::string("cloud")) {
      table.Add({"rent", machine->name,
                 fmt::format("{:.4f} € an hour", machine->rent->price.value()),
                 machine->rent->source});
    }
  }
  table.Add({"link", s.link.title.empty() ? s.link.name : s.link.title,
             fmt::format("{} up, {} down Mbit/s, {} ms", Figure(s.link.up.value()),
                         Figure(s.link.down.value()), Figure(s.link.rtt.value())),
             s.link.source});
  return table;
}

}  // namespace

std::string PlanPage(const PlanView& view, const std::string& title) {
  const Scenario& s = view.scenario;
  const Plan& plan = view.plan;
  const Candidate& best = plan.candidates[plan.best];
  Page page(title, fmt::format("The best line between {} and {} over {}", s.edge.name, s.cloud.name,
                               s.link.name));
  const auto other = [&](MechanismKind kind) -> Page::Tile {
    const char* name = NameOf(kind);
    const auto found = plan.BestOf(s, kind);
    if (!found) return {name, "–", "no codec allowed"};
    const Candidate& c = plan.candidates[*found];
    return {name, Ms(c.latency.total().value()), PayloadTitle(c)};
  };
  page.AddTiles(
      {{"best line", CutTitle(s, best), PayloadTitle(best)},
       {"latency", Ms(best.latency.total().value()),
        fmt::format("p95 {}", Ms(best.latency_p95.value()))},
       other(MechanismKind::kCloudOnly),
       other(MechanismKind::kEdgeOnly),
       {"money", fmt::format("{:.2f} €", best.month.value()), "a device and month"},
       {"energy", fmt::format("{:.0f} mJ", best.energy.value()), "of the edge an image"}});
  page.AddText(fmt::format("{} Found in {:.1f} ms.", ProofText(s, plan), view.plan_ms));
  if (const std::string ties = TiesText(s, plan); !ties.empty()) page.AddText(ties);
  for (const std::string& text : view.precision) page.AddText(text);
  for (const std::string& note : NotesOf(s, plan)) page.AddText(note);
  page.AddFigure("Where the time goes",
                 "One bar a cut, each with its best codec, from everything in the cloud (left) to "
                 "everything on the edge (right). Bars over six times the best are cut off.",
                 LatencyBars(view));
  page.AddFigure(
      "Where the line moves as the uplink changes",
      fmt::format(
          "The cheapest plan at every bandwidth, ties not weighed. Each colour is one plan; "
          "the borders are exact{}.",
          UplinkGapText(plan).empty() ? "" : "; " + UplinkGapText(plan)),
      EnvelopeChart(view));
  page.AddFigure("Two wishes at once",
                 "Each dot is a cut with a codec. Towards the lower left is better.",
                 ParetoChart(view));
  if (!view.explanations.empty()) {
    Table why({{"rival"}, {"sends"}, {"why not"}});
    for (const Explanation& e : view.explanations) {
      const Candidate& c = plan.candidates[e.rival];
      why.Add({CutTitle(s, c), PayloadTitle(c), e.sentence});
    }
    page.AddTable("Why not another", "The two terms that differ most, rival against the plan.",
                  why);
  }
  page.AddTable("All cuts", "Each with its best codec under the objective.", CandidateTable(view));
  page.AddTable(
      "Where the numbers come from",
      "\"Assumed\" figures are nobody's measurement: give your own as a .toml, or measure "
      "with fogline profile.",
      SourceTable(s));
  return page.Finish();
}

}  // namespace fogline
