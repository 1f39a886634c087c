// Dates as cameras write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fogline {

/// A camera's clock: microseconds since 1970 as if it showed UTC, and how many seconds it is ahead
/// of UTC where the text says so.
struct CameraTime {
  int64_t local_us = 0;
  std::optional<int32_t> offset_s;
};

/// "2024:05:01 14:00:00" as EXIF has it, or ISO 8601's "2024-05-01T14:00:00", either with a
/// fraction of a second and an offset ("Z", "+02:00") behind. Nothing for anything else, dates that
/// no calendar has, and years before 1900 or after 2099.
std::optional<CameraTime> ParseCameraTime(std::string_view text);

/// "+02:00", "-0330", "+2", "Z" in seconds; nothing for anything else and for more than 15 hours.
std::optional<int32_t> ParseUtcOffset(std::string_view text);

/// True for a date left open: blanks and zeros, as EXIF asks of a camera that has no clock.
bool IsBlankTime(std::string_view text);

/// Days, hours and so on in UTC to microseconds since 1970; nothing when no calendar has them.
std::optional<int64_t> ToMicros(int year, int month, int day, int hour, int minute, int second);

}  // namespace fogline
