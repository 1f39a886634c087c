// The steps that a picture passes between camera and store, and how long each took.
#pragma once

#include <array>
#include <limits>

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

}  // namespace fogline
