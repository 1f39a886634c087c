#include "report/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fogline {
namespace {

/// The round step (1, 2 or 5 times a power of ten) that divides `range` into about `count` parts.
double RoundStep(double range, int count) {
  const double raw = range / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double part = raw / power;
  return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

}  // namespace

Scale Scale::Linear(double low, double high, bool round) {
  if (!std::isfinite(low)) low = 0;
  if (!std::isfinite(high) || high <= low) high = low + std::max(1.0, std::abs(low) / 10);
  if (round) {
    const double step = RoundStep(high - low, 5);
    low = std::floor(low / step) * step;
    high = std::ceil(high / step - 1e-9) * step;
  }
  return {low, high, false};
}

Scale Scale::Log(double low, double high, bool round) {
  if (!(low > 0) || !std::isfinite(low)) low = high > 0 && std::isfinite(high) ? high / 10 : 1;
  if (!(high > low) || !std::isfinite(high)) high = low * 10;
  if (round) {
    // To the next 1, 2 or 5, so that little of the axis stays empty.
    const auto outward = [](double value, bool up) {
      const double power = std::pow(10.0, std::floor(std::log10(value)));
      const double part = value / power;
      constexpr double kSteps[] = {1, 2, 5, 10};
      if (up) {
        for (const double step : kSteps) {
          if (part <= step * (1 + 1e-9)) return step * power;
        }
      }
      for (const double step : {10.0, 5.0, 2.0}) {
        if (part >= step * (1 - 1e-9)) return step * power;
      }
      return power;
    };
    low = outward(low, false);
    high = outward(high, true);
  }
  return {low, high, true};
}

double Scale::operator()(double value) const {
  if (log_) {
    return value > 0
               ? (std::log10(value) - std::log10(low_)) / (std::log10(high_) - std::log10(low_))
               : 0;
  }
  return (value - low_) / (high_ - low_);
}

std::vector<double> Scale::Ticks(int count) const {
  std::vector<double> ticks;
  const double slack = 1e-9;
  if (!log_) {
    const double step = RoundStep(high_ - low_, count);
    for (double i = std::ceil(low_ / step - slack); i * step <= high_ + step * slack; ++i) {
      ticks.push_back(i == 0 ? 0 : i * step);  // not -0
    }
    return ticks;
  }
  const double decades = std::log10(high_ / low_);
  const std::vector<double> steps = decades * 3 <= count + 1   ? std::vector<double>{1, 2, 5}
                                    : decades * 2 <= count + 1 ? std::vector<double>{1, 3}
                                                               : std::vector<double>{1};
  const int every = std::max(1, static_cast<int>(std::floor(decades / std::max(count, 1))));
  const int first = static_cast<int>(std::floor(std::log10(low_)));
  for (int p = first; std::pow(10.0, p) <= high_ * (1 + slack); p += every) {
    for (const double step : steps) {
      const double value = step * std::pow(10.0, p);
      if (value >= low_ * (1 - slack) && value <= high_ * (1 + slack)) ticks.push_back(value);
    }
  }
  return ticks;
}

std::string PlainLabel(double value) {
  const double size = std::abs(value);  // below a million nobody wants to read 1e+04
  return size >= 1e4 && size < 1e6 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

}  // namespace fogline
