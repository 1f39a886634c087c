// Which times of capture can be.
#pragma once

#include <cstdint>

namespace fogline {

/// Microseconds since 1970 UTC.
inline constexpr int64_t kYear2000Us = 946'684'800'000'000;
inline constexpr int64_t kYear2100Us = 4'102'444'800'000'000;

/// Whether a stored time is one at which a picture may have been taken. Clouds of today store
/// others as unknown; those of before stored what they were told, and such a row is shown as one
/// whose time nobody knows.
inline bool CanBeCaptureTime(int64_t us) { return us >= kYear2000Us && us < kYear2100Us; }

}  // namespace fogline
