// What frames take of a worker's time, as measured.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

#include "codec/route.h"

namespace fogline {

/// A moving average for each (model, cut) of which frames were worked through: what a frame that
/// names it is expected to take. A result takes microseconds, a suffix milliseconds. Thread-safe.
class RouteCosts {
 public:
  /// Of what nobody has measured yet.
  static constexpr double kUnknownUs = 5000;
  /// Routes that are remembered; a frame that was worked through names one that exists.
  static constexpr size_t kMostRoutes = 1024;

  double Expected(const HalvesKey& halves) const {
    const std::lock_guard lock(mutex_);
    const auto found = us_.find(halves);
    return found == us_.end() ? kUnknownUs : found->second;
  }

  size_t count() const {
    const std::lock_guard lock(mutex_);
    return us_.size();
  }

  void Measured(const HalvesKey& halves, double us) {
    const std::lock_guard lock(mutex_);
    const auto found = us_.find(halves);
    if (found != us_.end()) {
      found->second += kWeight * (us - found->second);
    } else {
      if (us_.size() >= kMostRoutes) us_.clear();
      us_[halves] = us;
    }
  }

 private:
  static constexpr double kWeight = 1.0 / 16;
  mutable std::mutex mutex_;
  std::map<HalvesKey, double> us_;  // microseconds
};

}  // namespace fogline
