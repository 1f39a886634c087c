#include "frame/device_counts.h"

#include <fmt/format.h>

#include <charconv>

namespace fogline {

std::string ToString(const DeviceCounts& counts) {
  return fmt::format("{} {} {}", counts.waiting, counts.dead, counts.dropped);
}

std::optional<DeviceCounts> ParseDeviceCounts(std::string_view text) {
  DeviceCounts counts;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (uint32_t* count : {&counts.waiting, &counts.dead, &counts.dropped}) {
    if (count != &counts.waiting && (at == end || *at++ != ' ')) return std::nullopt;
    const auto [rest, error] = std::from_chars(at, end, *count);
    if (error != std::errc()) return std::nullopt;
    at = rest;
  }
  return at == end ? std::optional(counts) : std::nullopt;
}

}  // namespace fogline
