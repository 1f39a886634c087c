#include "edge/tally.h"

#include <cmath>

namespace fogline {

void Tally::Add(const Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  switch (delivery.status) {
    case AckStatus::kStored:
      ++stored_;
      break;
    case AckStatus::kDuplicate:
      ++duplicates_;
      break;
    case AckStatus::kRefused:
    case AckStatus::kRetry:
      ++refused_;
      return;
  }
  bytes_ += delivery.bytes;
  if (delivery.recovered) return;
  if (samples_.size() < EdgeReport::kSamples) {
    samples_.push_back(delivery);
  } else {
    samples_[next_++ % samples_.size()] = delivery;
  }
}

void Tally::Fill(EdgeReport& report) const {
  const std::lock_guard lock(mutex_);
  report.stored = stored_;
  report.duplicates = duplicates_;
  report.refused = refused_;
  if (stored_ + duplicates_ > 0) {
    report.bytes_mean = static_cast<double>(bytes_) / static_cast<double>(stored_ + duplicates_);
  }
  const auto summary = [&](auto value_of) {
    std::vector<double> values;
    for (const Delivery& d : samples_) {
      if (const double v = value_of(d); !std::isnan(v)) values.push_back(v);
    }
    return Summarize(values);
  };
  const auto known = [](float v) { return std::isnan(v) ? 0.0 : static_cast<double>(v); };
  report.total_ms = summary([](const Delivery& d) { return d.total_ms; });
  report.hypothetical_ms = summary([&](const Delivery& d) {
    return d.total_ms - known(d.stages.window) - known(d.stages.queue);
  });
  report.overhead_ms = summary([&](const Delivery& d) {
    const StageTimes& s = d.stages;
    return d.total_ms - known(s.read) - known(s.resize) - known(s.prefix) - known(s.encode) -
           known(s.window) - known(s.decode) - known(s.suffix) - known(s.store);
  });
  for (size_t i = 0; i < kStages.size(); ++i) {
    report.stages_ms[i] = summary(
        [&](const Delivery& d) { return static_cast<double>(d.stages.*kStages[i].time_ms); });
  }
}

}  // namespace fogline
