#include "plan/pareto.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace fogline {
namespace {

struct MeasureName {
  std::string_view name, title;
  Measure measure;
};
constexpr std::array<MeasureName, 6> kNames{{
    {"latency", "latency, ms", Measure::kLatency},
    {"cost", "euro a device and month", Measure::kCost},
    {"energy", "edge energy, mJ an image", Measure::kEnergy},
    {"throughput", "pipeline period, ms an image", Measure::kPeriod},
    {"bytes", "uplink bytes an image", Measure::kBytes},
    {"agreement", "share of verdicts changed", Measure::kDisagreement},
}};

}  // namespace

Result<Measure> ParseMeasure(std::string_view name) {
  std::vector<std::string> names;
  for (const MeasureName& known : kNames) {
    if (known.name == name) return known.measure;
    names.emplace_back(known.name);
  }
  return Fail(ErrorCode::kUsage, "--pareto", "'{}' is no measure{}", name, DidYouMean(name, names));
}

std::string_view MeasureTitle(Measure measure) {
  return std::ranges::find(kNames, measure, &MeasureName::measure)->title;
}

double MeasureOf(const Candidate& c, Measure measure) {
  switch (measure) {
    case Measure::kLatency:
      return c.latency.total().value();
    case Measure::kCost:
      return c.month.value();
    case Measure::kEnergy:
      return c.energy.value();
    case Measure::kPeriod:
      return c.period.value();
    case Measure::kBytes:
      return c.up.value();
    case Measure::kDisagreement:
      break;
  }
  return c.payload.agreement ? 1 - *c.payload.agreement : std::numeric_limits<double>::infinity();
}

std::vector<size_t> ParetoFront(const Plan& plan, Measure x, Measure y) {
  const std::vector<Candidate>& candidates = plan.candidates;
  std::vector<size_t> order;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (plan.Usable(i)) order.push_back(i);
  }
  const auto key = [&](size_t i) {
    return std::pair(MeasureOf(candidates[i], x), MeasureOf(candidates[i], y));
  };
  std::ranges::stable_sort(order, {}, key);
  std::vector<size_t> front;
  double lowest = std::numeric_limits<double>::infinity();
  for (const size_t i : order) {
    const double value = key(i).second;
    if (value < lowest) {
      lowest = value;
      front.push_back(i);
    }
  }
  return front;
}

}  // namespace fogline
