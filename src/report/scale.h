// From values to positions on an axis, and which values to write beside it.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace fogline {

/// Maps [low, high] to [0, 1], straight or by logarithm. Immutable.
class Scale {
 public:
  /// Covers all of [low, high], rounded outwards to round numbers when `round` is set. An empty or
  /// not finite range becomes one that starts at `low`.
  static Scale Linear(double low, double high, bool round = true);
  /// The same by log10; values that are not positive map to 0. `low` and `high` must be positive,
  /// else the scale falls back to a decade around 1.
  static Scale Log(double low, double high, bool round = true);

  double operator()(double value) const;
  double low() const { return low_; }
  double high() const { return high_; }
  bool is_log() const { return log_; }

  /// About `count` round values inside the range, ascending.
  std::vector<double> Ticks(int count = 5) const;

 private:
  Scale(double low, double high, bool log) : low_(low), high_(high), log_(log) {}
  double low_, high_;
  bool log_;
};

/// An axis of a chart.
struct Axis {
  std::string title;
  bool log = false;
  /// How a value is written; the shortest decimal by default.
  std::function<std::string(double)> label;
  /// Limits; taken from the data where equal.
  double low = 0, high = 0;
};

/// "1.5", "20", "3e+06".
std::string PlainLabel(double value);

}  // namespace fogline
