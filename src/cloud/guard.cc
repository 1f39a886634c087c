#include "cloud/guard.h"

#include <algorithm>

namespace fogline {
namespace {

constexpr double kBurstSeconds = 2;

double Seconds(Nanos t) { return std::chrono::duration<double>(t).count(); }

}  // namespace

bool DeviceGuard::Admit(const std::string& device, Nanos now, double weight) {
  if (rate_ <= 0) return true;
  auto found = buckets_.find(device);
  if (found == buckets_.end()) {
    if (buckets_.size() >= most_devices_) ForgetQuiet(now);
    if (buckets_.size() >= most_devices_) return false;
    found = buckets_.emplace(device, Bucket{rate_ * kBurstSeconds, now}).first;
  }
  Bucket& bucket = found->second;
  bucket.tokens = std::min(rate_ * kBurstSeconds, bucket.tokens + rate_ * Seconds(now - bucket.at));
  bucket.at = now;
  weight = std::max(weight, 1.0);
  if (bucket.tokens < std::min(weight, rate_ * kBurstSeconds)) return false;
  bucket.tokens -= weight;
  return true;
}

/// A bucket that has had time to fill says no more than a new one.
void DeviceGuard::ForgetQuiet(Nanos now) {
  std::erase_if(buckets_,
                [&](const auto& entry) { return Seconds(now - entry.second.at) >= kBurstSeconds; });
}

}  // namespace fogline
