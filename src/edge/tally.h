// Counting what became of an edge's frames.
#pragma once

#include <mutex>
#include <vector>

#include "edge/report.h"
#include "edge/sender.h"

namespace fogline {

/// Collects deliveries, told by the link's thread, into a report. Thread-safe.
class Tally {
 public:
  void Add(const Delivery& delivery);
  /// Fills in counts and times.
  void Fill(EdgeReport& report) const;

 private:
  mutable std::mutex mutex_;
  uint64_t stored_ = 0, duplicates_ = 0, refused_ = 0;
  uint64_t bytes_ = 0;
  std::vector<Delivery> samples_;  // a ring of the last kSamples
  size_t next_ = 0;
};

}  // namespace fogline
