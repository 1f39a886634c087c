// The plan over a range of rates, fleet sizes or prices, and where it changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cost/fleet_plan.h"

namespace fogline {

/// One thing varied, from `low` to `high` by equal factors.
struct SweepAxis {
  std::string key;  // rate, devices, data_price, electricity, months
  double low = 0, high = 0;
};

/// "rate=0.1:10". kUsage names what is wrong, with the nearest key.
Result<SweepAxis> ParseSweepAxis(std::string_view text);

/// Sets what the axis varies: rate and data_price in every group, devices in proportion.
void ApplyAxis(const SweepAxis& axis, double value, Fleet& fleet);

struct SweepPoint {
  std::vector<double> at;  // by axis
  bool feasible = false;
  double euro_device_month = 0, instances = 0;
  std::vector<std::string> choice;  // "option on device", by group
};

struct BreakEven {
  double at = 0;  // along the first axis, the others as in the scenario
  std::string text;
};

struct Sweep {
  std::vector<SweepAxis> axes;
  std::vector<SweepPoint> points;      // the last axis varies fastest
  std::vector<BreakEven> break_evens;  // of the first axis
};

/// Plans at `steps` values of each axis, and bisects between neighbours of the first axis where the
/// choice changes.
Sweep RunSweep(const Fleet& fleet, const std::vector<SweepAxis>& axes, int steps = 9);

}  // namespace fogline
