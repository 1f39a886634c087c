// What one picture became: the row that the cloud stores and the map shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "frame/device_counts.h"
#include "frame/stages.h"
#include "frame/time_source.h"
#include "vision/findings.h"

namespace fogline {

/// The mechanism of a picture in which a fixed camera saw nothing new: label, score and findings
/// are those of the picture that it is like, whose frame `cut` names.
inline constexpr const char* kUnchanged = "unchanged";

/// One classified picture. (device, run, sequence) is its name: `run` is drawn at random when an
/// edge starts, `sequence` counts from 0 within the run.
struct Detection {
  std::string device;
  uint64_t run = 0;
  uint64_t sequence = 0;
  int64_t captured_us = 0;  // microseconds since 1970 UTC; 0 where nobody knows
  TimeSource captured_from = TimeSource::kClock;
  bool has_position = false;
  double lat = 0;  // degrees, WGS 84
  double lon = 0;
  float accuracy_m = kUnknown;
  float heading_deg = kUnknown;  // clockwise from north
  std::string model;             // SHA-256 of the model file, 64 hex digits
  std::string label;
  float score = 0;        // 0..1
  bool positive = false;  // the label is the one looked for and the score reaches the threshold
  std::optional<Findings> findings;    // what the network said, where that is more than the label
  std::optional<DeviceCounts> counts;  // what the device said of its frames, where it did
  std::string mechanism;               // "edge-only", "cloud-only", "split", kUnchanged
  std::string cut;
  std::string codec;
  uint32_t payload_bytes = 0;  // what crossed the network for this picture
  StageTimes stages;
  std::vector<std::byte> thumbnail;  // JPEG; empty unless the operator opted in
};

/// Longest text of a field and largest thumbnail that a store takes, in bytes.
inline constexpr size_t kMaxDeviceBytes = 128;
inline constexpr size_t kMaxTextBytes = 256;
inline constexpr size_t kMaxThumbnailBytes = 256 << 10;

/// What a row takes of a store, about: the same for each, what was found, and its picture.
inline constexpr uint64_t kPlainRowBytes = 200;
inline constexpr uint64_t StoredBytes(size_t findings, size_t thumbnail) {
  return kPlainRowBytes + findings + thumbnail;
}

/// How far beyond 0..1 a score may lie and still be one: networks in 8-bit integers give
/// probabilities that miss 1 by a rounding.
inline constexpr float kScoreSlack = 1e-3F;
/// A score as it is stored: within 0..1.
float StoredScore(float score);

/// Findings as a store keeps them; nothing for a kind that only a newer Fogline knows.
Result<std::optional<Findings>> StoredFindings(std::span<const std::byte> bytes);

/// kInvalid, naming the field, for what no store takes: text that is too long or not UTF-8, an
/// empty device, a score or position out of range. Whoever hears from a network asks this first,
/// since Put refuses a batch as a whole.
Status Check(const Detection& detection);
/// The same of each of a batch; the error names its place, and `where` the store.
Status CheckBatch(std::span<const Detection> batch, std::string_view where);

}  // namespace fogline
