// What a worker says about frames that do not go well, without filling the log.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace fogline {

/// One warning for each new trouble, and few of those: not one for each frame of a hostile sender.
/// Thread-safe.
class Complaints {
 public:
  static constexpr Nanos kPeriod = std::chrono::seconds(10);
  static constexpr uint64_t kMostInPeriod = 20;

  explicit Complaints(const Clock& clock = Clock::Real()) : clock_(clock) {}

  /// Logs a line unless it was the last one or too many were said lately; whether it did.
  bool Say(const std::string& what);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::string last_;
  Nanos since_{-kPeriod};
  uint64_t said_ = 0, unsaid_ = 0;  // since then
};

}  // namespace fogline
