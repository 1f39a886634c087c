// How the time of a capture is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fogline {

/// From the least to the most trustworthy. The numbers are the wire's and the stores': they stay.
enum class TimeSource : uint8_t {
  kNone = 0,     // nobody knows: the time itself is 0 and shown as unknown
  kFile = 1,     // the date of the picture's file
  kAssumed = 2,  // the camera's own clock, whose distance from UTC had to be assumed
  kOffset = 3,   // the camera's own clock, whose distance from UTC is known
  kGps = 4,      // a GPS receiver's clock
  kClock = 5,    // the device's own clock at the moment of the capture
};

/// none, file, assumed, offset, gps, clock: the text of JSON, CSV and the stores.
std::string_view ToString(TimeSource source);
/// The source of such a text or number; nothing for any other.
std::optional<TimeSource> ParseTimeSource(std::string_view text);
std::optional<TimeSource> TimeSourceOf(uint8_t number);

}  // namespace fogline
