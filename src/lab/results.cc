#include "lab/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "base/stats.h"
#include "lab/markdown.h"
#include "lab/page.h"

namespace fogline {
namespace {

double Rounded(double ms) { return std::round(ms * 1000) / 1000; }

Json ToJson(const LabResult& result, const Bar& bar) {
  const SuiteExperiment& e = result.suite.experiments[bar.experiment];
  Json stages = Json::object();
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (!std::isnan(bar.stages_ms[i])) stages[kStages[i].name] = Rounded(bar.stages_ms[i]);
  }
  const Forecast& f = bar.forecast;
  return {{"experiment", e.key},
          {"paper", e.paper},
          {"model", result.suite.models[e.model].key},
          {"device", result.suite.devices[e.device].key},
          {"device_evidence", NameOf(result.suite.devices[e.device].evidence)},
          {"cloud", result.suite.clouds[e.cloud].key},
          {"cloud_evidence", NameOf(result.suite.clouds[e.cloud].evidence)},
          {"link", result.suite.links[e.link].key},
          {"medium", bar.medium},
          {"wire", NameOf(bar.wire)},
          {"mechanism", NameOf(KindOf(bar.cut))},
          {"cut", bar.cut},
          {"codec", bar.codec},
          {"pictures", bar.pictures},
          {"stored", bar.stored},
          {"bytes_mean", bar.bytes},
          {"stages_ms", stages},
          {"true_total_ms", Rounded(bar.true_ms)},
          {"hypothetical_total_ms", Rounded(bar.hypothetical_ms)},
          {"measured_ms", Rounded(bar.measured_ms)},
          {"forecast_ms",
           {{"edge", Rounded(f.edge)},
            {"encode", Rounded(f.encode)},
            {"uplink", Rounded(f.uplink)},
            {"decode", Rounded(f.decode)},
            {"cloud", Rounded(f.cloud)},
            {"answer", Rounded(f.answer)},
            {"pipeline", Rounded(f.pipeline)},
            {"total", Rounded(f.total())}}},
          {"forecast_bytes", f.bytes},
          {"error", bar.error()},
          {"spread", bar.spread},
          {"fair", bar.spread <= kFairSpread},
          {"month_euro", f.month_euro}};
}

std::vector<const Bar*> AllBars(const LabResult& result) {
  std::vector<const Bar*> bars;
  for (const Bar& bar : result.bars) bars.push_back(&bar);
  return bars;
}

}  // namespace

RegretFigures RegretOf(const LabResult& result) {
  std::vector<double> regrets;
  for (const PlanChoice& c : result.choices) regrets.push_back(c.regret);
  const Summary s = Summarize(regrets);
  return {s.p50, s.max};
}

size_t UnfairBars(const LabResult& result) {
  return static_cast<size_t>(
      std::ranges::count_if(result.bars, [](const Bar& b) { return b.spread > kFairSpread; }));
}

std::string ResultsJson(const LabResult& result) {
  Json bars = Json::array(), choices = Json::array();
  for (const Bar& bar : result.bars) bars.push_back(ToJson(result, bar));
  for (const PlanChoice& c : result.choices) {
    choices.push_back({{"experiment", result.suite.experiments[c.experiment].key},
                       {"wire", NameOf(c.wire)},
                       {"planned", result.bars[c.planned].cut},
                       {"fastest", result.bars[c.best].cut},
                       {"regret", c.regret}});
  }
  Json capacities = Json::array();
  for (const Capacity& c : result.capacities) {
    const SuiteCapacity& entry = result.suite.capacities[c.entry];
    Json j = ParseJson(CapacityJson(c, ""), "capacity").value_or(Json());
    j.erase("fingerprint");
    j["mechanism"] = entry.key;
    j["wanted"] = entry.wanted;
    j["paper"] = entry.paper;
    const CapacityCost cost = CostOf(c);
    j["core_us_per_frame"] = {{"total", cost.total_us},
                              {"decode", cost.decode_us},
                              {"suffix", cost.suffix_us},
                              {"rest", cost.rest_us}};
    j["limit"] = cost.limit;
    capacities.push_back(std::move(j));
  }
  const ForecastError error = ErrorOf(AllBars(result));
  const RegretFigures regret = RegretOf(result);
  return Dump(
      Json{{"suite", result.suite.name},
           {"quick", result.quick},
           {"machine", result.machine},
           {"date", result.date},
           {"pipeline_ms", result.pipeline_ms},
           {"error", {{"median", error.median}, {"mean", error.mean}, {"worst", error.worst}}},
           {"regret", {{"median", regret.median}, {"worst", regret.worst}}},
           {"unfair_bars", UnfairBars(result)},
           {"measured", result.measured},
           {"found", result.found},
           {"notes", result.notes},
           {"choices", choices},
           {"capacities", capacities},
           {"bars", bars}});
}

std::string Percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string ResultsCsv(const LabResult& result) {
  std::string out =
      "experiment,paper,model,device,device_evidence,cloud,cloud_evidence,link,medium,wire,cut,"
      "codec,"
      "pictures,bytes_mean";
  for (const StageField& field : kStages) out += fmt::format(",{}_ms", field.name);
  out += ",true_total_ms,hypothetical_total_ms,measured_ms,forecast_ms,error,spread,month_euro\n";
  for (const Bar& bar : result.bars) {
    const SuiteExperiment& e = result.suite.experiments[bar.experiment];
    const SuiteMachine& device = result.suite.devices[e.device];
    const SuiteMachine& cloud = result.suite.clouds[e.cloud];
    out += fmt::format("{},{},{},{},{},{},{},{},\"{}\",{},{},{},{},{:.1f}", e.key, e.paper,
                       result.suite.models[e.model].key, device.key, NameOf(device.evidence),
                       cloud.key, NameOf(cloud.evidence), result.suite.links[e.link].key,
                       bar.medium, NameOf(bar.wire), bar.cut, bar.codec, bar.pictures, bar.bytes);
    for (const double ms : bar.stages_ms) {
      out += std::isnan(ms) ? "," : fmt::format(",{:.3f}", ms);
    }
    out += fmt::format(",{:.3f},{:.3f},{:.3f},{:.3f},{:.4f},{:.4f},{:.4f}\n", bar.true_ms,
                       bar.hypothetical_ms, bar.measured_ms, bar.forecast.total(), bar.error(),
                       bar.spread, bar.forecast.month_euro);
  }
  return out;
}

std::string TraceJson(const LabResult& result) {
  Json events = Json::array();
  static constexpr std::array kRows{"device", "uplink", "cloud", "downlink"};
  for (size_t b = 0; b < result.bars.size(); ++b) {
    const Bar& bar = result.bars[b];
    events.push_back(
        {{"ph", "M"},
         {"pid", b},
         {"name", "process_name"},
         {"args",
          {{"name", fmt::format("{} {} {}", result.suite.experiments[bar.experiment].key,
                                NameOf(bar.wire), bar.cut)}}}});
    for (size_t row = 0; row < kRows.size(); ++row) {
      events.push_back({{"ph", "M"},
                        {"pid", b},
                        {"tid", row},
                        {"name", "thread_name"},
                        {"args", {{"name", kRows[row]}}}});
    }
    // Clocks of two hosts are never compared: a device's picture begins where its last one was
    // handed over, and the stages of one frame follow each other. Half of the network's time lies
    // before the cloud's and half after.
    double device_us = 0;
    std::array<double, kRows.size()> free_us{};  // steps of one row never overlap
    for (size_t n = 0; n < bar.frames.size(); ++n) {
      const StageTimes& s = bar.frames[n];
      double at_us = device_us;
      const auto add = [&](size_t row, const char* name, float ms) {
        if (std::isnan(ms) || ms <= 0) return;
        const double from_us = std::round(std::max(at_us, free_us[row]));
        at_us = from_us + std::round(ms * 1000);
        free_us[row] = at_us;
        events.push_back({{"ph", "X"},
                          {"pid", b},
                          {"tid", row},
                          {"name", name},
                          {"ts", from_us},
                          {"dur", at_us - from_us},
                          {"args", {{"frame", n}}}});
      };
      add(0, "read", s.read);
      add(0, "resize", s.resize);
      add(0, "prefix", s.prefix);
      add(0, "encode", s.encode);
      add(0, "window", s.window);
      device_us = at_us;
      add(1, "there", s.network / 2);
      add(2, "queue", s.queue);
      add(2, "decode", s.decode);
      add(2, "suffix", s.suffix);
      add(2, "store", s.store);
      add(3, "back", s.network / 2);
    }
  }
  return Dump(Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}});
}

std::string SummaryLine(const LabResult& result) {
  if (result.bars.empty()) {
    return fmt::format("{} capacities ({} of an earlier run)", result.capacities.size(),
                       result.found);
  }
  const ForecastError error = ErrorOf(AllBars(result));
  const RegretFigures regret = RegretOf(result);
  std::string line = fmt::format(
      "{} bars ({} of an earlier run): the forecast is off by {:.1f} % (median; {:.1f} % mean, "
      "{:.0f} % worst), the plan's choice costs {:.1f} % more than the fastest (median; {:.1f} % "
      "worst)",
      result.bars.size(), result.found, error.median * 100, error.mean * 100, error.worst * 100,
      regret.median * 100, regret.worst * 100);
  if (const size_t unfair = UnfairBars(result); unfair > 0) {
    line += fmt::format("; the machine was too busy for {} bars", unfair);
  }
  return line;
}

Status WriteResults(const LabResult& result, const std::filesystem::path& folder) {
  FOGLINE_CHECK(WriteFile(folder / "results.json", ResultsJson(result) + "\n"));
  FOGLINE_CHECK(WriteFile(folder / "results.csv", ResultsCsv(result)));
  FOGLINE_CHECK(WriteFile(folder / "results.md", ResultsMarkdown(result)));
  FOGLINE_CHECK(WriteFile(folder / "trace.json", TraceJson(result)));
  return WriteFile(folder / "report.html", LabPage(result));
}

}  // namespace fogline
