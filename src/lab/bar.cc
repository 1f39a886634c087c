#include "lab/bar.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/stats.h"

namespace fogline {

double Bar::stage(const char* name) const {
  for (size_t i = 0; i < kStages.size(); ++i) {
    if (std::string_view(kStages[i].name) == name) {
      return std::isnan(stages_ms[i]) ? 0 : stages_ms[i];
    }
  }
  return 0;
}

Status ReadReport(const std::string& text, Bar& bar) {
  FOGLINE_TRY(const Json report, ParseJson(text, "edge report"));
  try {
    bar.pictures = report.at("images");
    bar.stored = report.at("stored");
    bar.bytes = report.at("bytes_mean");
    bar.true_ms = report.at("latency_ms").at("p50");
    bar.hypothetical_ms = report.at("hypothetical_ms").at("p50");
    const auto& stages = report.at("stages_ms");
    double unrest = 0;
    for (size_t i = 0; i < kStages.size(); ++i) {
      bar.stages_ms[i] = std::numeric_limits<double>::quiet_NaN();
      const std::string name = kStages[i].name;
      if (!stages.contains(name)) continue;
      const double p50 = stages.at(name).at("p50");
      bar.stages_ms[i] = p50;
      // What a picture shows changes its bytes, but not the time of the network's layers.
      if (name == "prefix" || name == "suffix") {
        unrest += stages.at(name).at("p95").get<double>() - p50;
      }
    }
    bar.measured_ms = bar.hypothetical_ms - bar.stage("read") - bar.stage("resize");
    bar.spread = bar.measured_ms > 0 ? unrest / bar.measured_ms : 0;
  } catch (const Json::exception& e) {
    return Fail(ErrorCode::kInvalid, "edge report", "{}", e.what());
  }
  if (bar.stored == 0 || bar.measured_ms <= 0) {
    return Fail(ErrorCode::kInvalid, "edge report", "no picture was stored");
  }
  return {};
}

std::vector<PlanChoice> ChoicesOf(const std::vector<Bar>& bars) {
  std::vector<PlanChoice> all;
  for (size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const auto same = [&](const PlanChoice& v) {
      return v.experiment == bar.experiment && v.wire == bar.wire;
    };
    const auto known = std::ranges::find_if(all, same);
    if (known == all.end()) {
      all.push_back({bar.experiment, bar.wire, i, i, 0});
      continue;
    }
    if (bar.measured_ms < bars[known->best].measured_ms) known->best = i;
    if (bar.forecast.total() < bars[known->planned].forecast.total()) known->planned = i;
  }
  for (PlanChoice& v : all) {
    v.regret = bars[v.planned].measured_ms / bars[v.best].measured_ms - 1;
  }
  return all;
}

ForecastError ErrorOf(const std::vector<const Bar*>& bars) {
  std::vector<double> errors;
  for (const Bar* bar : bars) errors.push_back(std::abs(bar->error()));
  const Summary s = Summarize(errors);
  return {s.p50, s.mean, s.max, errors.size()};
}

}  // namespace fogline
