// What each device has under way in a cloud, from a frame's receipt to its answer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace fogline {

/// A window a device, as an edge has one for its own frames: a subscriber cannot tell a broker how
/// many messages of each publisher it wants under way, and one device's frames, waiting for a
/// commit that takes long, would take every place that there is. Beyond the window a frame is
/// answered "not now". Thread-safe; it outlives its places.
class DeviceWindows {
 public:
  struct Limits {
    size_t frames = 640;              // of one device, while others have some too
    size_t bytes = size_t{16} << 20;  // of one device, as they came, but for its first frame
  };
  struct Held {
    size_t frames = 0, bytes = 0;
  };
  class Place;

  explicit DeviceWindows(const Limits& limits) : limits_(limits) {}

  /// A place for a frame that came; none where its device has enough under way.
  std::optional<Place> Enter(const std::string& device, size_t bytes);

  /// Of the device with the most frames, and of the one with the most bytes.
  Held most() const {
    const std::lock_guard lock(mutex_);
    Held most;
    for (const auto& [device, held] : devices_) {
      most.frames = std::max(most.frames, held.frames);
      most.bytes = std::max(most.bytes, held.bytes);
    }
    return most;
  }

 private:
  using Devices = std::unordered_map<std::string, Held>;

  void Leave(Devices::value_type& device, size_t bytes) {
    const std::lock_guard lock(mutex_);
    Held& held = device.second;
    held.bytes -= bytes;
    --frames_;
    if (--held.frames == 0) devices_.erase(device.first);
  }

  const Limits limits_;
  mutable std::mutex mutex_;
  Devices devices_;    // that have something under way
  size_t frames_ = 0;  // of all of them
};

/// Goes along with the frame, and is given back where it ends, whatever became of it.
class DeviceWindows::Place {
 public:
  Place(Place&& other) noexcept
      : windows_(std::exchange(other.windows_, nullptr)),
        device_(other.device_),
        bytes_(other.bytes_) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(windows_, other.windows_);
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Place() {
    if (windows_ != nullptr) windows_->Leave(*device_, bytes_);
  }

 private:
  friend class DeviceWindows;
  Place(DeviceWindows& windows, Devices::value_type& device, size_t bytes)
      : windows_(&windows), device_(&device), bytes_(bytes) {}

  DeviceWindows* windows_;
  Devices::value_type* device_;
  size_t bytes_;
};

inline std::optional<DeviceWindows::Place> DeviceWindows::Enter(const std::string& device,
                                                                size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find(device);
  const Held held = found == devices_.end() ? Held() : found->second;
  const bool others = held.frames < frames_;
  if (others && held.frames >= limits_.frames) return std::nullopt;
  if (held.frames > 0 && held.bytes + bytes > limits_.bytes) return std::nullopt;
  auto& entry = found == devices_.end() ? *devices_.try_emplace(device).first : *found;
  ++entry.second.frames;
  entry.second.bytes += bytes;
  ++frames_;
  return Place(*this, entry, bytes);
}

}  // namespace fogline
