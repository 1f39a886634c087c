#include "lab/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/bar_chart.h"
#include "report/xy_chart.h"

namespace fogline {
namespace {

/// Stages as the charts stack them: what every cut has alike is one part.
struct StagePart {
  const char* name;
  Tone tone;
  std::vector<const char*> stages;
};
const std::vector<StagePart>& StageParts() {
  static const std::vector<StagePart> parts{{"read, resize", Tone::kSlate, {"read", "resize"}},
                                            {"layers on the device", Tone::kEdge, {"prefix"}},
                                            {"encode", Tone::kEncode, {"encode"}},
                                            {"network, both ways", Tone::kNetwork, {"network"}},
                                            {"decode", Tone::kDecode, {"decode"}},
                                            {"layers in the cloud", Tone::kCloud, {"suffix"}},
                                            {"store", Tone::kTeal, {"store"}}};
  return parts;
}

double PictureMs(const Bar& bar) { return bar.stage("read") + bar.stage("resize"); }

/// "cloud-only" → "cloud", "split13" → "13": sixteen names under one chart.
std::string Short(const std::string& cut) {
  if (cut.starts_with("split")) return cut.substr(5);
  return cut.ends_with("-only") ? cut.substr(0, cut.size() - 5) : cut;
}

}  // namespace

std::string StageChart(const std::vector<const Bar*>& bars, const std::string& label) {
  BarChart chart;
  chart.label = label;
  chart.y.title = "ms a picture";
  chart.x_title = "split after … (cloud: cloud-only, edge: edge-only)";
  chart.mark_name = "forecast";
  chart.outline_name = "true total, waits included";
  double highest = 0;
  for (const StagePart& part : StageParts()) {
    BarChart::Part stack{part.name, part.tone, {}};
    for (const Bar* bar : bars) {
      double ms = 0;
      for (const char* stage : part.stages) ms += bar->stage(stage);
      stack.values.push_back(ms);
    }
    chart.parts.push_back(std::move(stack));
  }
  for (const Bar* bar : bars) {
    chart.categories.push_back(Short(bar->cut));
    chart.marks.push_back(bar->forecast.total() + PictureMs(*bar));
    chart.outlines.push_back(bar->true_ms);
    highest = std::max({highest, bar->hypothetical_ms, chart.marks.back()});
    std::string tip =
        fmt::format("{}{}{}, {} a picture\n", bar->cut, bar->codec.empty() ? "" : ", ", bar->codec,
                    HumanBytes(bar->bytes));
    for (size_t s = 0; s < kStages.size(); ++s) {
      if (!std::isnan(bar->stages_ms[s])) {
        tip += fmt::format("{} {:.2f}  ", kStages[s].name, bar->stages_ms[s]);
      }
    }
    tip += fmt::format(
        "\nmeasured {:.2f} ms, forecast {:.2f} ({:+.1f} %)\nhypothetical total {:.2f}, true total "
        "{:.2f}{}",
        bar->measured_ms, bar->forecast.total(), bar->error() * 100, bar->hypothetical_ms,
        bar->true_ms, bar->spread > kFairSpread ? "\nthe machine was busy: no fair figure" : "");
    chart.tips.push_back(std::move(tip));
  }
  // Waits can be many times the rest; they may run off the top, the bars shall be legible.
  chart.y.high = highest * 1.15;
  return chart.Render();
}

std::string LayerChart(const ModelFacts& facts) {
  XYChart chart;
  chart.label = "bytes of each layer's output";
  chart.x.title = "layer";
  chart.y.title = "bytes";
  chart.y.label = [](double v) { return HumanBytes(v); };
  Series series{"", Tone::kNetwork, Series::Style::kArea, {}};
  for (size_t i = 0; i < facts.layers.size(); ++i) {
    series.points.push_back({static_cast<double>(i), facts.layers[i].second,
                             facts.layers[i].first + "\n" + HumanBytes(facts.layers[i].second)});
  }
  chart.series.push_back(std::move(series));
  for (const auto& cut : facts.cuts) {
    if (KindOf(cut.cut) == MechanismKind::kSplit) {
      chart.marks.push_back({static_cast<double>(cut.layers), Short(cut.cut),
                             cut.cut + "\n" + cut.name + "\n" + HumanBytes(cut.bytes)});
    }
  }
  return chart.Render();
}

std::string WorkChart(const ModelFacts& facts) {
  BarChart chart;
  chart.label = "multiply-accumulates on either side of each cut";
  chart.y.title = "million multiply-accumulates";
  chart.parts = {{"device", Tone::kEdge, {}}, {"cloud", Tone::kCloud, {}}};
  for (const auto& cut : facts.cuts) {
    chart.categories.push_back(Short(cut.cut));
    chart.parts[0].values.push_back(cut.edge_madds / 1e6);
    chart.parts[1].values.push_back(cut.cloud_madds / 1e6);
    chart.tips.push_back(fmt::format("{}: {} on the device, {} in the cloud", cut.cut,
                                     HumanCount(cut.edge_madds), HumanCount(cut.cloud_madds)));
  }
  chart.height = 240;
  return chart.Render();
}

std::string MachineChart(const LabResult& result) {
  BarChart chart;
  chart.label = "time of the whole network on each machine";
  chart.y.title = "ms";
  chart.parts = {{"as a device", Tone::kEdge, {}}, {"as a cloud", Tone::kCloud, {}}};
  std::vector<std::string> seen;
  for (const Bar& bar : result.bars) {
    const SuiteExperiment& e = result.suite.experiments[bar.experiment];
    const MechanismKind kind = KindOf(bar.cut);
    if (kind == MechanismKind::kSplit) continue;
    const bool device = kind == MechanismKind::kEdgeOnly;
    const SuiteMachine& m = device ? result.suite.devices[e.device] : result.suite.clouds[e.cloud];
    const int side = result.suite.models[e.model].side;
    const std::string name = fmt::format("{}, {} px, {}", m.title, side, NameOf(m.evidence));
    if (std::ranges::find(seen, name) != seen.end()) continue;
    seen.push_back(name);
    const double ms = bar.stage(device ? "prefix" : "suffix");
    chart.categories.push_back(name);
    chart.parts[0].values.push_back(device ? ms : 0);
    chart.parts[1].values.push_back(device ? 0 : ms);
    chart.tips.push_back(fmt::format("{}: {:.2f} ms", name, ms));
  }
  // Names of machines are long: the chart lies on its side in a list instead.
  std::vector<size_t> order(seen.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto value = [&](size_t i) { return chart.parts[0].values[i] + chart.parts[1].values[i]; };
  std::ranges::sort(order, {}, value);
  double most = 1e-9;
  for (const size_t i : order) most = std::max(most, value(i));
  constexpr double kRow = 26, kNames = 290, kWidth = 960;
  Svg svg(kWidth, kRow * static_cast<double>(order.size()) + 4, chart.label);
  for (size_t row = 0; row < order.size(); ++row) {
    const size_t i = order[row];
    const double y = kRow * static_cast<double>(row),
                 wide = value(i) / most * (kWidth - kNames - 90);
    svg.Text(kNames - 10, y + 17, chart.categories[i], "tick", Anchor::kEnd);
    svg.Rect(kNames, y + 4, std::max(1.0, wide), kRow - 8,
             "bar " + ToneClass(chart.parts[0].values[i] > 0 ? Tone::kEdge : Tone::kCloud),
             chart.tips[i], 2);
    svg.Text(kNames + wide + 8, y + 17, fmt::format("{:.1f} ms", value(i)), "tick");
  }
  return Legend({{"as a device", Tone::kEdge}, {"as a cloud", Tone::kCloud}}) + svg.Finish();
}

std::string MoneyChart(const LabResult& result) {
  XYChart chart;
  chart.label = "euro a month over latency";
  chart.x.title = "hypothetical total, ms";
  chart.x.log = true;
  chart.y.title = "€ a device and month";
  size_t tone = 0;
  for (size_t i = 0; i < result.suite.experiments.size(); ++i) {
    const SuiteExperiment& e = result.suite.experiments[i];
    if (!e.paper.starts_with("7")) continue;
    for (const WireKind wire : e.wires) {
      Series series{fmt::format("{}, {}", result.suite.devices[e.device].title,
                                wire == WireKind::kJson ? "JSON" : "Fogline's codecs"),
                    SeriesTone(tone++),
                    Series::Style::kDots,
                    {}};
      for (const Bar& bar : result.bars) {
        if (bar.experiment != i || bar.wire != wire) continue;
        series.points.push_back(
            {bar.hypothetical_ms, bar.forecast.month_euro,
             fmt::format("{}\n{}\n{:.1f} ms, € {:.2f} a month", series.name, bar.cut,
                         bar.hypothetical_ms, bar.forecast.month_euro)});
      }
      chart.series.push_back(std::move(series));
    }
  }
  return chart.Render();
}

std::string ForecastChart(const LabResult& result) {
  XYChart chart;
  chart.label = "forecast over measurement";
  chart.x.title = "measured, ms";
  chart.x.log = true;
  chart.y.title = "forecast, ms";
  chart.y.log = true;
  struct Group {
    Evidence evidence;
    WireKind wire;
    Tone tone;
  };
  double low = 1e12, high = 0;
  for (const Group g : {Group{Evidence::kReal, WireKind::kJson, Tone::kRed},
                        Group{Evidence::kReal, WireKind::kFogline, Tone::kCloud},
                        Group{Evidence::kLimited, WireKind::kFogline, Tone::kSplit},
                        Group{Evidence::kPaced, WireKind::kJson, Tone::kEdge},
                        Group{Evidence::kPaced, WireKind::kFogline, Tone::kNetwork}}) {
    Series series{fmt::format("{}, {}", NameOf(g.evidence),
                              g.wire == WireKind::kJson ? "JSON" : "Fogline's codecs"),
                  g.tone,
                  Series::Style::kDots,
                  {}};
    for (const Bar& bar : result.bars) {
      const SuiteExperiment& e = result.suite.experiments[bar.experiment];
      if (result.suite.devices[e.device].evidence != g.evidence || bar.wire != g.wire) continue;
      const double forecast = bar.forecast.total();
      low = std::min({low, bar.measured_ms, forecast});
      high = std::max({high, bar.measured_ms, forecast});
      series.points.push_back(
          {bar.measured_ms, forecast,
           fmt::format("{} {}\nmeasured {:.2f}, forecast {:.2f} ms ({:+.1f} %)", e.key, bar.cut,
                       bar.measured_ms, forecast, bar.error() * 100)});
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  Series line{"", Tone::kSlate, Series::Style::kLine, {{low, low, ""}, {high, high, ""}}};
  chart.series.insert(chart.series.begin(), std::move(line));
  return chart.Render();
}

std::string CapacityChart(const LabResult& result) {
  XYChart chart;
  chart.label = "p95 of answers over devices";
  chart.x.title = "devices at one picture a second";
  chart.x.log = true;
  chart.y.title = "p95, ms";
  chart.y.log = true;
  for (size_t i = 0; i < result.capacities.size(); ++i) {
    const Capacity& c = result.capacities[i];
    Series series{result.suite.capacities[c.entry].title, SeriesTone(i), Series::Style::kLine, {}};
    std::vector<LoadStep> steps = c.steps;
    std::ranges::sort(steps, {}, &LoadStep::devices);
    for (const LoadStep& s : steps) {
      if (s.latency_ms.count == 0 && s.latency_ms.p95 <= 0) continue;
      series.points.push_back(
          {s.devices, s.latency_ms.p95,
           fmt::format("{}\n{:.0f} devices: {:.0f} stored a second, p50 {:.1f} ms, p95 {:.1f} ms\n"
                       "cores: cloud {:.2f}, broker {:.2f}, generator {:.2f}",
                       series.name, s.devices, s.stored_per_second, s.latency_ms.p50,
                       s.latency_ms.p95, s.cloud_cpu, s.broker_cpu, s.generator_cpu)});
    }
    chart.series.push_back(std::move(series));
  }
  return chart.Render();
}

}  // namespace fogline
