#include "cost/sweep.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace fogline {
namespace {

SweepPoint PlanAt(const Fleet& fleet, const std::vector<SweepAxis>& axes,
                  const std::vector<double>& at) {
  SweepPoint point{at, false, 0, 0, {}};
  Fleet varied = fleet;
  for (size_t i = 0; i < axes.size(); ++i) ApplyAxis(axes[i], at[i], varied);
  const auto plan = PlanFleet(varied);
  if (!plan) return point;
  point.feasible = true;
  point.euro_device_month = plan->euro_month / plan->devices;
  point.instances = plan->pool.instances;
  for (size_t g = 0; g < plan->choice.size(); ++g) {
    const FleetOption& o = varied.groups[g].options[plan->choice[g]];
    point.choice.push_back(o.name + " on " + o.edge.name);
  }
  return point;
}

double Step(const SweepAxis& axis, int i, int steps) {
  return axis.low * std::pow(axis.high / axis.low, static_cast<double>(i) / (steps - 1));
}

std::string Change(const Fleet& fleet, const std::string& key, double at, const SweepPoint& below,
                   const SweepPoint& above) {
  std::string text = fmt::format("above {} {:.3g}: ", key, at);
  if (!above.feasible) return text + "nothing sustains it";
  if (!below.feasible) return text + "a plan exists";
  bool first = true;
  for (size_t g = 0; g < above.choice.size(); ++g) {
    if (below.choice[g] == above.choice[g]) continue;
    text += fmt::format("{}{} runs {} instead of {}", first ? "" : "; ", fleet.groups[g].name,
                        above.choice[g], below.choice[g]);
    first = false;
  }
  return text;
}

/// Bisects until the two sides differ by less than 0.01 %; further changes between them are found
/// as the intervals shrink around the first.
BreakEven Locate(const Fleet& fleet, const SweepAxis& axis, SweepPoint low, SweepPoint high) {
  while (high.at[0] / low.at[0] > 1.0001) {
    SweepPoint middle = PlanAt(fleet, {axis}, {std::sqrt(low.at[0] * high.at[0])});
    const bool same = middle.feasible == low.feasible && middle.choice == low.choice;
    (same ? low : high) = std::move(middle);
  }
  return {high.at[0], Change(fleet, axis.key, high.at[0], low, high)};
}

}  // namespace

Result<SweepAxis> ParseSweepAxis(std::string_view text) {
  static const std::string kKeys[] = {"rate", "devices", "data_price", "electricity", "months"};
  const size_t equals = text.find('='), colon = text.find(':');
  SweepAxis axis;
  axis.key = std::string(text.substr(0, equals));
  bool known = false;
  for (const std::string& k : kKeys) known = known || k == axis.key;
  if (!known) {
    return Fail(ErrorCode::kUsage, "--sweep",
                "'{}' is none of rate, devices, data_price, electricity, months{}",
                Printable(axis.key), DidYouMean(axis.key, kKeys));
  }
  const auto number = [](std::string_view part, double& out) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), out);
    return !part.empty() && error == std::errc() && end == part.data() + part.size() &&
           std::isfinite(out) && out > 0;
  };
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals ||
      !number(text.substr(equals + 1, colon - equals - 1), axis.low) ||
      !number(text.substr(colon + 1), axis.high) || axis.high <= axis.low) {
    return Fail(ErrorCode::kUsage, "--sweep",
                "'{}' is no {}=LOW:HIGH with 0 < LOW < HIGH, as in {}=0.1:10", Printable(text),
                axis.key, axis.key);
  }
  return axis;
}

void ApplyAxis(const SweepAxis& axis, double value, Fleet& fleet) {
  double total = 0;
  for (const FleetGroup& g : fleet.groups) total += g.devices;
  for (FleetGroup& g : fleet.groups) {
    if (axis.key == "rate") g.images_per_second = value;
    if (axis.key == "devices") g.devices *= value / total;
    if (axis.key == "data_price") g.link.price = EuroPerGigabyte(value);
  }
  if (axis.key == "electricity") fleet.euro_per_kwh = value;
  if (axis.key == "months") fleet.hardware_months = value;
}

Sweep RunSweep(const Fleet& fleet, const std::vector<SweepAxis>& axes, int steps) {
  Sweep sweep{axes, {}, {}};
  size_t count = 1;
  for (size_t i = 0; i < axes.size(); ++i) count *= static_cast<size_t>(steps);
  for (size_t n = 0; n < count; ++n) {
    std::vector<double> at(axes.size());
    size_t rest = n;
    for (size_t i = axes.size(); i-- > 0; rest /= static_cast<size_t>(steps)) {
      at[i] = Step(axes[i], static_cast<int>(rest % static_cast<size_t>(steps)), steps);
    }
    sweep.points.push_back(PlanAt(fleet, axes, at));
  }
  // A finer walk along the first axis alone.
  const int fine = 4 * steps;
  SweepPoint last = PlanAt(fleet, {axes[0]}, {axes[0].low});
  for (int i = 1; i < fine; ++i) {
    SweepPoint next = PlanAt(fleet, {axes[0]}, {Step(axes[0], i, fine)});
    if (next.feasible != last.feasible || next.choice != last.choice) {
      sweep.break_evens.push_back(Locate(fleet, axes[0], last, next));
    }
    last = std::move(next);
  }
  return sweep;
}

}  // namespace fogline
