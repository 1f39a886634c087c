// Recordings with a header row: which column is the time, which the uplink's rate, and in what
// units.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fogline {

/// What whoever plans says about the columns; empty: told from their names.
struct TraceColumns {
  std::string rate;  // a column's name
  std::string unit;  // of it, as in a link: kbps, Mbps, Gbps
};

struct RecordedRates {
  std::vector<std::pair<double, double>>
      points;         // seconds since the first row, Mbit/s from then on
  std::string taken;  // "column 'UL_bitrate' as kbit/s over 'Timestamp'"
};

/// Whether the first line names columns instead of holding numbers.
bool HasHeader(std::string_view text);

/// Reads comma-, semicolon-, tab- or blank-separated columns. Of columns of rates the one that says
/// that it is the uplink's is taken, else the only one. Times are seconds or milliseconds, since
/// anything, or dates with a time of day. Rows without a rate are passed over.
/// kInvalid names the columns when none or several could be meant, and the line that is wrong.
Result<RecordedRates> ReadRates(std::string_view text, const std::string& where,
                                const TraceColumns& columns);

}  // namespace fogline
