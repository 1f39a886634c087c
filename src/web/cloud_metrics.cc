#include "web/cloud_metrics.h"

namespace fogline {

std::function<std::vector<Metric>()> CloudMetrics::Ask() const {
  return [place = place_]() -> std::vector<Metric> {
    const std::lock_guard lock(place->mutex);
    if (place->cloud == nullptr) return {};
    const CloudStats& s = place->cloud->stats();
    const auto counter = [](const char* name, const char* help, uint64_t value) {
      return Metric{name, help, Metric::kCounter, static_cast<double>(value)};
    };
    std::vector<Metric> metrics{
        {"fogline_cloud_waiting", "Frames waiting for a worker", Metric::kGauge,
         static_cast<double>(s.waiting.load())},
        counter("fogline_cloud_received_total", "Frames received", s.received),
        counter("fogline_cloud_stored_total", "Frames stored", s.stored),
        counter("fogline_cloud_duplicates_total", "Frames stored before", s.duplicates),
        counter("fogline_cloud_refused_total", "Frames refused", s.refused),
        counter("fogline_cloud_retried_total", "Frames to be sent again: no fault of their own",
                s.retried),
        counter("fogline_cloud_times_not_believed_total",
                "Capture times before 2000 or after tomorrow, stored as unknown",
                s.times_not_believed),
        counter("fogline_cloud_put_off_total",
                "Frames to be sent again since their device had enough waiting", s.put_off),
        counter("fogline_cloud_limited_total",
                "Frames beyond a device's rate or its share of the workers, not looked at",
                s.limited),
    };
    if (const RawKeeper* raw = place->cloud->raw()) {
      metrics.push_back(
          counter("fogline_raw_kept_total", "Files of raw outputs written", raw->kept()));
      metrics.push_back(counter("fogline_raw_left_out_total",
                                "Files of raw outputs that there was no room for, or that could "
                                "not be written",
                                raw->left_out()));
    }
    for (size_t code = 0; code < kReasons; ++code) {
      Metric metric = counter("fogline_cloud_unstored_total",
                              "Frames refused (invalid, unsupported) or to be sent again (others)",
                              s.unstored[code]);
      metric.label = "reason";
      metric.label_value = ReasonWord(static_cast<ErrorCode>(code));
      metrics.push_back(std::move(metric));
    }
    return metrics;
  };
}

}  // namespace fogline
