// Which devices send what is not stored, and why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "frame/ack.h"

namespace fogline {

/// Answers of one device that were not "stored".
struct Unstored {
  uint64_t refused = 0, not_now = 0;  // never, and later
  std::string reason;                 // of the last one
  Nanos at{0};                        // when that was, by the steady clock
};

/// Remembers a bounded number of devices: of those without room, the one goes that has been without
/// trouble for longest. Thread-safe.
class UnstoredByDevice {
 public:
  explicit UnstoredByDevice(size_t most_devices = 1000) : most_devices_(most_devices) {}

  void Count(const std::string& device, AckStatus status, const Error& error, Nanos now);
  /// How many devices are remembered.
  size_t count() const {
    const std::lock_guard lock(mutex_);
    return devices_.size();
  }
  /// By the devices' names.
  std::map<std::string, Unstored> all() const;

 private:
  const size_t most_devices_;
  mutable std::mutex mutex_;
  std::map<std::string, Unstored> devices_;
};

}  // namespace fogline
