// What a device says of its own frames now and then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fogline {

/// How many frames a device holds or lost.
struct DeviceCounts {
  uint32_t waiting = 0;  // for an answer or for their turn, in memory or in the spool
  uint32_t dead = 0;     // refused for ever and kept on the device as dead letters
  uint32_t dropped = 0;  // given up for want of room since the device's program started
  bool operator==(const DeviceCounts&) const = default;
};

/// "12 0 3", as stores keep them: waiting, dead, dropped.
std::string ToString(const DeviceCounts& counts);
std::optional<DeviceCounts> ParseDeviceCounts(std::string_view text);

}  // namespace fogline
