#include "frame/time_source.h"

#include <algorithm>
#include <array>

namespace fogline {
namespace {
constexpr std::array<std::string_view, 6> kNames{"none",   "file", "assumed",
                                                 "offset", "gps",  "clock"};
}

std::string_view ToString(TimeSource source) {
  const auto number = static_cast<size_t>(source);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

std::optional<TimeSource> ParseTimeSource(std::string_view text) {
  const auto it = std::find(kNames.begin(), kNames.end(), text);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<TimeSource>(it - kNames.begin());
}

std::optional<TimeSource> TimeSourceOf(uint8_t number) {
  if (number >= kNames.size()) return std::nullopt;
  return static_cast<TimeSource>(number);
}

}  // namespace fogline
