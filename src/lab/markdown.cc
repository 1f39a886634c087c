#include "lab/markdown.h"

#include <fmt/format.h>

#include <algorithm>

#include "lab/results.h"

namespace fogline {
namespace {

/// The fastest of one experiment's bars of a kind; null where there is none.
const Bar* Fastest(const LabResult& result, const PlanChoice& c, MechanismKind kind) {
  const Bar* best = nullptr;
  for (const Bar& bar : result.bars) {
    if (bar.experiment != c.experiment || bar.wire != c.wire || KindOf(bar.cut) != kind) continue;
    if (best == nullptr || bar.measured_ms < best->measured_ms) best = &bar;
  }
  return best;
}

std::string Ms(const Bar* bar) {
  return bar != nullptr ? fmt::format("{:.1f}", bar->measured_ms) : std::string("–");
}

std::string Experiments(const LabResult& result) {
  std::string out =
      "| experiment | device, cloud, link | wire | cloud-only, ms | best split, ms | edge-only, ms "
      "| fastest | planned | regret | forecast error |\n"
      "|---|---|---|---:|---:|---:|---|---|---:|---:|\n";
  for (const PlanChoice& c : result.choices) {
    const SuiteExperiment& e = result.suite.experiments[c.experiment];
    const SuiteMachine& device = result.suite.devices[e.device];
    const SuiteMachine& cloud = result.suite.clouds[e.cloud];
    const Bar* const split = Fastest(result, c, MechanismKind::kSplit);
    std::vector<const Bar*> bars;
    for (const Bar& b : result.bars) {
      if (b.experiment == c.experiment && b.wire == c.wire) bars.push_back(&b);
    }
    out +=
        fmt::format("| {} | {} ({}), {} ({}), {} | {} | {} | {} {} | {} | {} | {} | {} | {} |\n",
                    e.key, device.title, NameOf(device.evidence), cloud.title,
                    NameOf(cloud.evidence), result.suite.links[e.link].profile.title,
                    NameOf(c.wire), Ms(Fastest(result, c, MechanismKind::kCloudOnly)), Ms(split),
                    split != nullptr ? fmt::format("({})", split->cut) : std::string(),
                    Ms(Fastest(result, c, MechanismKind::kEdgeOnly)), result.bars[c.best].cut,
                    result.bars[c.planned].cut, Percent(c.regret), Percent(ErrorOf(bars).median));
  }
  return out;
}

std::string Errors(const LabResult& result) {
  std::string out = "| bars | number | median error | mean | worst |\n|---|---:|---:|---:|---:|\n";
  const auto row = [&](const std::string& name, const auto& wanted) {
    std::vector<const Bar*> bars;
    for (const Bar& b : result.bars) {
      if (wanted(b)) bars.push_back(&b);
    }
    if (bars.empty()) return;
    const ForecastError e = ErrorOf(bars);
    out += fmt::format("| {} | {} | {} | {} | {} |\n", name, e.bars, Percent(e.median),
                       Percent(e.mean), Percent(e.worst));
  };
  for (const Evidence evidence : {Evidence::kReal, Evidence::kLimited, Evidence::kPaced}) {
    for (const WireKind wire : {WireKind::kJson, WireKind::kFogline}) {
      row(fmt::format("{}, {}", NameOf(evidence), NameOf(wire)), [&](const Bar& b) {
        const SuiteExperiment& e = result.suite.experiments[b.experiment];
        return result.suite.devices[e.device].evidence == evidence && b.wire == wire;
      });
    }
  }
  row("all", [](const Bar&) { return true; });
  return out;
}

std::string Capacities(const LabResult& result) {
  std::string out =
      "| mechanism | codec | bytes a frame | devices a core | wanted | paper's stack | core's time "
      "a "
      "frame, µs | decode | layers | all else | what gave in |\n"
      "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n";
  for (const Capacity& c : result.capacities) {
    const SuiteCapacity& entry = result.suite.capacities[c.entry];
    const CapacityCost cost = CostOf(c);
    const auto number = [](double value) {
      return value > 0 ? fmt::format("{:.0f}", value) : std::string("–");
    };
    out += fmt::format(
        "| {} | {} | {:.0f} | {:.0f} | {} | {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {} |\n",
        entry.title, c.codec, c.frame_bytes, c.devices, number(entry.wanted), number(entry.paper),
        cost.total_us, cost.decode_us, cost.suffix_us, cost.rest_us, cost.limit);
  }
  return out;
}

}  // namespace

std::string ResultsMarkdown(const LabResult& result) {
  std::string out = fmt::format("`fogline lab {}`{}, {}, {}.\n", result.suite.name,
                                result.quick ? " --quick" : "", result.machine, result.date);
  for (const std::string& note : result.notes) out += fmt::format("Note: {}.\n", note);
  if (!result.bars.empty()) {
    const RegretFigures regret = RegretOf(result);
    out += "\n" + Experiments(result) + "\n" + Errors(result) +
           fmt::format(
               "\nRegret: median {}, worst {} of {} plans. Not fair for other load: {} of {} "
               "bars.\n",
               Percent(regret.median), Percent(regret.worst), result.choices.size(),
               UnfairBars(result), result.bars.size());
  }
  if (!result.capacities.empty()) out += "\n" + Capacities(result);
  return out;
}

}  // namespace fogline
