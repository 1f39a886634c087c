// Figures for Prometheus, in its text format.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fogline {

/// One figure of a program that runs beside the server, for /metrics.
struct Metric {
  std::string name;  // "fogline_cloud_frames_total": letters, digits and _
  std::string help;
  enum Kind { kCounter, kGauge } kind = kCounter;
  double value = 0;
  std::string label = {},
              label_value = {};  // empty: none; metrics of one name stand behind each other
};

/// Writes families one after the other (exposition format 0.0.4).
class MetricsWriter {
 public:
  /// Begins a family.
  void Family(std::string_view name, std::string_view help, Metric::Kind kind);
  /// One sample of the family begun last, without labels or with one.
  void Sample(double value);
  void Sample(std::string_view label, std::string_view label_value, double value);
  /// Or with several, by name.
  void Sample(std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
              double value);

  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
  std::string name_;
};

}  // namespace fogline
