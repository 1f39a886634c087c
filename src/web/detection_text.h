// Detections as JSON, GeoJSON and CSV: the only place that decides which fields leave the house.
#pragma once

#include <optional>
#include <string>

#include "base/json_writer.h"
#include "store/store.h"

namespace fogline {

/// What the operator lets out.
struct Privacy {
  /// Positions are rounded to so many decimals of a degree (3: about 100 m) wherever they leave.
  std::optional<int> decimals;
  bool thumbnails = false;
};

double RoundDegrees(double degrees, const Privacy& privacy);

/// One JSON object without a line break. Times are milliseconds; what is unknown is left out.
void PutDetection(JsonWriter& json, const StoredDetection& stored, const Privacy& privacy);
/// One GeoJSON Feature; its geometry is null without a position.
void PutFeature(JsonWriter& json, const StoredDetection& stored, const Privacy& privacy);
std::string CsvHeader();
/// One line. Cells that a spreadsheet would run as a formula get an apostrophe in front.
void AppendCsv(std::string& out, const StoredDetection& stored, const Privacy& privacy);

/// A time of capture in milliseconds; 0, as where nobody knows, for one that cannot be.
int64_t ShownMs(int64_t captured_us);

/// "2026-03-01T12:34:56.789Z".
std::string IsoTime(int64_t unix_us);

}  // namespace fogline
