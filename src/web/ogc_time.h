// The parameter `datetime` of OGC APIs: an instant or a span, in the words of RFC 3339.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// Microseconds since 1970 UTC, [from, to); the numeric limits where an end is open, as in Filter.
struct TimeSpan {
  int64_t from_us = 0;
  int64_t to_us = 0;
};

/// "2026-03-01T12:34:56.789Z", "2026-03-01T13:00:00+01:00": the millisecond that it lies in, in
/// microseconds since 1970 UTC; nothing for anything else.
std::optional<int64_t> ParseInstant(std::string_view text);

/// "2026-03-01T12:34:56.789Z", "2026-03-01T13:00:00+01:00/..", "../2026-03-01T12:34:56Z", or both
/// ends; an empty end is open too. An instant is its millisecond, the end of a span belongs to it.
/// kUsage for anything else.
Result<TimeSpan> ParseOgcTime(std::string_view text);

}  // namespace fogline
