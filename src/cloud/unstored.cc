#include "cloud/unstored.h"

#include <algorithm>

namespace fogline {

void UnstoredByDevice::Count(const std::string& device, AckStatus status, const Error& error,
                             Nanos now) {
  const std::lock_guard lock(mutex_);
  if (!devices_.contains(device) && devices_.size() >= most_devices_) {
    devices_.erase(
        std::ranges::min_element(devices_, {}, [](const auto& entry) { return entry.second.at; }));
  }
  Unstored& counts = devices_[device];
  ++(status == AckStatus::kRefused ? counts.refused : counts.not_now);
  counts.reason = error.ToString();
  counts.at = now;
}

std::map<std::string, Unstored> UnstoredByDevice::all() const {
  const std::lock_guard lock(mutex_);
  return devices_;
}

}  // namespace fogline
