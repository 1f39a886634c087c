// How much one device may ask of the cloud.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace fogline {

/// A token bucket a device: `rate` frames a second, twice as many at once, where a frame that is
/// much work counts as several. Remembers a bounded number of devices; one that has been quiet for
/// two seconds needs no memory. Not thread-safe.
class DeviceGuard {
 public:
  /// `rate` 0: everything is admitted.
  explicit DeviceGuard(double rate, size_t most_devices = 100'000)
      : rate_(rate), most_devices_(most_devices) {}

  /// Whether a frame of this device, which counts as `weight` and as one at least, may be looked at
  /// now. One that weighs more than the bucket holds passes when it is full, and is paid back
  /// later. False also for a device more than can be remembered at once.
  bool Admit(const std::string& device, Nanos now, double weight = 1);

  /// Devices that are remembered.
  size_t devices() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens = 0;
    Nanos at{0};
  };
  void ForgetQuiet(Nanos now);

  double rate_;
  size_t most_devices_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace fogline
