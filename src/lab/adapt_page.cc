// What `fogline lab adapt` shows: tables, charts, JSON.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "lab/adapt.h"
#include "lab/results.h"
#include "report/page.h"
#include "report/xy_chart.h"

namespace fogline {
namespace {

constexpr double kWanted = 0.02;

std::vector<double> RegretsOf(const AdaptReport& report, bool recorded) {
  std::vector<double> regrets;
  for (const AdaptRow& row : report.rows) {
    if (row.recorded == recorded) regrets.push_back(row.regret());
  }
  return regrets;
}

std::string Signed(double share) { return fmt::format("{:+.1f} %", 100 * share); }

/// "of 18: 14 within 2 %, mean +0.6 %, worst +4.2 %".
std::string InWords(const std::vector<double>& regrets) {
  const Summary s = Summarize(regrets);
  const auto good = std::ranges::count_if(regrets, [](double r) { return r <= kWanted; });
  return fmt::format("{} of {} within 2 % of the best fixed route, mean {}, worst {}", good,
                     regrets.size(), Signed(s.mean), Signed(s.max));
}

Table TableOf(const AdaptReport& report) {
  Table table({{"line", false, true},
               {"device"},
               {"best fixed route", false, true},
               {"its mean, ms", true},
               {"steering", true},
               {"clairvoyant", true},
               {"worst fixed", true},
               {"steering against the best", true},
               {"switches", true},
               {"probes", true}});
  const auto ms = [](double value) { return Cell(fmt::format("{:.1f}", value), value); };
  for (const AdaptRow& row : report.rows) {
    double worst = 0;
    for (const auto& [route, summary] : row.fixed) worst = std::max(worst, summary.mean);
    table.Add({row.trace, row.device, row.fixed[row.best].first,
               ms(row.fixed[row.best].second.mean), ms(row.steered.mean), ms(row.clairvoyant.mean),
               ms(worst), Cell(Signed(row.regret()), row.regret()),
               Cell(fmt::format("{}", row.switches), row.switches),
               Cell(fmt::format("{}", row.probes), static_cast<double>(row.probes))},
              row.regret() <= kWanted ? Table::Weight::kNormal : Table::Weight::kStrong);
  }
  return table;
}

/// Each row a dot: how slow its line is, and what steering loses there.
std::string RegretChart(const AdaptReport& report) {
  XYChart chart;
  chart.label = "Steering against the best fixed route, over that route's mean";
  chart.x.title = "mean of the best fixed route, ms";
  chart.x.log = true;
  chart.y.title = "steering against it, %";
  for (const bool recorded : {true, false}) {
    Series series{recorded ? "recorded uplinks" : "made-up lines",
                  recorded ? Tone::kEdge : Tone::kSlate,
                  Series::Style::kDots,
                  {}};
    for (const AdaptRow& row : report.rows) {
      if (row.recorded != recorded) continue;
      series.points.push_back(
          {row.fixed[row.best].second.mean, 100 * row.regret(),
           fmt::format("{}\n{}\n{}", row.trace, row.device, Signed(row.regret()))});
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  return chart.Render();
}

Series LatencyOf(const AdaptRun& run, std::string name, Tone tone) {
  Series series{std::move(name), tone, Series::Style::kLine, {}};
  for (size_t i = 0; i < run.latency_ms.size(); ++i) {
    series.points.push_back({static_cast<double>(i), run.latency_ms[i], {}});
  }
  return series;
}

std::string JourneyChart(const AdaptReport& report) {
  XYChart chart;
  chart.label = "Latency of each picture on a journey";
  chart.x.title = "picture";
  chart.y.title = "ms";
  chart.y.log = true;
  size_t best = 0;
  const auto mean = [&](size_t r) { return report.journey_fixed[r].second.summary().mean; };
  for (size_t r = 1; r < report.journey_fixed.size(); ++r) best = mean(r) < mean(best) ? r : best;
  const auto& fixed = report.journey_fixed[best];
  chart.series.push_back(LatencyOf(fixed.second, "best fixed: " + fixed.first, Tone::kSlate));
  chart.series.push_back(LatencyOf(report.journey_clairvoyant, "clairvoyant", Tone::kTeal));
  chart.series.push_back(LatencyOf(report.journey_steered, "steering", Tone::kEdge));
  return chart.Render();
}

Json SummaryJson(const Summary& s) {
  return {{"p50_ms", s.p50}, {"p95_ms", s.p95}, {"mean_ms", s.mean}};
}

}  // namespace

std::string AdaptJson(const AdaptReport& report) {
  Json traces = Json::array();
  for (const AdaptRow& row : report.rows) {
    Json fixed = Json::array();
    for (const auto& [route, summary] : row.fixed) {
      Json entry{{"route", route}};
      entry.update(SummaryJson(summary));
      fixed.push_back(std::move(entry));
    }
    Json adaptive = SummaryJson(row.steered);
    adaptive["switches"] = row.switches;
    adaptive["probes"] = row.probes;
    adaptive["regret"] = row.regret();
    traces.push_back({{"trace", row.trace},
                      {"device", row.device},
                      {"recorded", row.recorded},
                      {"fixed", std::move(fixed)},
                      {"adaptive", std::move(adaptive)},
                      {"clairvoyant", SummaryJson(row.clairvoyant)}});
  }
  return Dump(Json{{"traces", std::move(traces)}});
}

std::string AdaptText(const AdaptReport& report) {
  std::string text = TableOf(report).ToText(StdoutStyle()) + "\n";
  for (const bool recorded : {true, false}) {
    const auto regrets = RegretsOf(report, recorded);
    if (regrets.empty()) continue;
    text +=
        fmt::format("{}: {}\n", recorded ? "recorded uplinks" : "made-up lines", InWords(regrets));
  }
  return text;
}

std::string AdaptPage(const AdaptReport& report) {
  Page page("Steering", "fogline lab adapt · by arithmetic, no processes");
  page.AddText(
      "Each device runs the litter network by the routes of its policy, a picture each half second "
      "or so, over each line: always by one route, for every route; as steering chooses, which "
      "knows nothing of the line but what its own frames met; and as a clairvoyant would, who "
      "knows "
      "for each picture which route ends first. Latency is from the camera to the stored answer, "
      "waits included.");
  for (const bool recorded : {true, false}) {
    const auto regrets = RegretsOf(report, recorded);
    if (regrets.empty()) continue;
    page.AddText(
        fmt::format("{}: {}.", recorded ? "Recorded uplinks" : "Made-up lines", InWords(regrets)));
  }
  page.AddFigure("What not knowing the line costs",
                 "Each line and device a dot; below 0 steering "
                 "is faster than any fixed route.",
                 RegretChart(report));
  page.AddFigure("A journey",
                 "Wi-Fi, LTE, 3G, ten seconds of nothing, Wi-Fi again, 100 pictures "
                 "each, on " +
                     report.journey_device + ".",
                 JourneyChart(report));
  page.AddTable("Every line", "Bold: more than 2 % slower than the best fixed route in hindsight.",
                TableOf(report));
  return page.Finish();
}

}  // namespace fogline
