// What one picture became: the row that the cloud stores and the map shows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/result.h"

namespace fogline {

inline constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// How long each step of one frame took, in milliseconds of the host that ran it; NaN when the step
/// did not run or nobody measured it. Durations only: clocks of two hosts are never subtracted.
struct StageTimes {
  float read = kUnknown;     // edge: opening and decoding the picture
  float resize = kUnknown;   // edge: to the model's input
  float prefix = kUnknown;   // edge: the layers before the cut
  float encode = kUnknown;   // edge: tensor or picture to bytes
  float window = kUnknown;   // edge: waiting for a place in the send window
  float network = kUnknown;  // edge's round trip minus the cloud's own time
  float queue = kUnknown;    // cloud: received, waiting for a worker
  float decode = kUnknown;   // cloud
  float suffix = kUnknown;   // cloud: the layers after the cut
  float store = kUnknown;    // cloud: this store's Put

  /// Sum of what is known: the time a picture really took.
  float Total() const;
  /// The paper's "hypothetical total": the same without the waits (window and queue).
  float WithoutWaits() const;
};

/// The stages in the order a frame passes them, with the names used in JSON and on the map.
struct StageField {
  const char* name;
  float StageTimes::*time_ms;
};
inline constexpr std::array<StageField, 10> kStages{{
    {"read", &StageTimes::read},
    {"resize", &StageTimes::resize},
    {"prefix", &StageTimes::prefix},
    {"encode", &StageTimes::encode},
    {"window", &StageTimes::window},
    {"network", &StageTimes::network},
    {"queue", &StageTimes::queue},
    {"decode", &StageTimes::decode},
    {"suffix", &StageTimes::suffix},
    {"store", &StageTimes::store},
}};

/// One classified picture. (device, run, sequence) is its name: `run` is drawn at random when an
/// edge starts, `sequence` counts from 0 within the run.
struct Detection {
  std::string device;
  uint64_t run = 0;
  uint64_t sequence = 0;
  int64_t captured_us = 0;  // microseconds since 1970 UTC, by the device's wall clock
  bool has_position = false;
  double lat = 0;  // degrees, WGS 84
  double lon = 0;
  float accuracy_m = kUnknown;
  float heading_deg = kUnknown;  // clockwise from north
  std::string model;             // SHA-256 of the model file, 64 hex digits
  std::string label;
  float score = 0;        // 0..1
  bool positive = false;  // the label is the one looked for and the score reaches the threshold
  std::string mechanism;  // "edge-only", "cloud-only", "split"
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

/// kInvalid, naming the field, for what no store takes: text that is too long or not UTF-8, an
/// empty device, a score or position out of range. Whoever hears from a network asks this first,
/// since Put refuses a batch as a whole.
Status Check(const Detection& detection);

}  // namespace fogline
