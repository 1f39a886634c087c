// One message from a device to the cloud. docs/wire_format.md describes every byte.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/tensor.h"
#include "codec/route.h"
#include "frame/device_counts.h"
#include "frame/time_source.h"
#include "vision/findings.h"

namespace fogline {

/// What a payload is for.
enum class Role : uint8_t {
  kActivation = 0,  // a tensor that crosses the cut, or the picture itself at cut 0
  kResult = 1,      // the device's own verdict (edge-only)
  kThumbnail = 2,   // a small JPEG for the map
};

/// One piece of data in a frame. `bytes` is what `codec` made of a tensor of this dtype and shape.
struct Payload {
  Role role = Role::kActivation;
  uint8_t codec = 0;      // CodecKind
  uint8_t parameter = 0;  // bits of a quantiser, quality of a picture
  DType dtype = DType::kUndefined;
  Shape shape;
  std::span<const std::byte> bytes;
  uint32_t tensor = 0;  // of an activation: TensorId of its name; 0: the only one, or a picture
};

/// Names a tensor that crosses: the first 4 bytes of its name's SHA-256 as a big-endian number, 1
/// where they are all 0.
uint32_t TensorId(std::string_view name);

/// Durations on the device, microseconds. `window` is the wait for a free place in the send window.
struct EdgeStages {
  uint32_t read = 0, resize = 0, prefix = 0, encode = 0, window = 0;
};

/// The time an earlier frame of this run spent between the device and the cloud, told with a later
/// one, because only the device can know it: round trip minus the cloud's own time. What is left at
/// the end of a run is told by a frame without payloads.
struct Settled {
  uint64_t sequence = 0;
  uint32_t network_us = 0;
};

/// The upright picture that a frame's tensors were made from, in pixels, or in other units of the
/// same proportions where it has more than 65,535; 0 where nobody said.
struct PictureSize {
  uint16_t width = 0, height = 0;
  /// Of any size.
  static PictureSize Of(int width, int height);
  bool operator==(const PictureSize&) const = default;
};

/// The gate of a frame's route: an early exit of the network.
struct FrameGate {
  uint64_t at = 0;       // IdOfCut of the tensor where it leaves
  double threshold = 1;  // how sure its head must be
  bool left = false;     // this picture was done with there: the frame holds the head's verdict
  bool operator==(const FrameGate&) const = default;
};

/// The first 8 bytes of a hash as a little-endian number: how models and bundles are named in a
/// frame.
uint64_t ShortId(const Sha256& hash);

struct Frame {
  static constexpr uint32_t kMagic = 0x314C4746;  // "FGL1" in memory
  static constexpr size_t kMaxPayloads = Route::kMostTensors + 8;
  static constexpr size_t kMaxSettled = 32;
  static constexpr size_t kMaxDeviceName = 64;

  std::string device;  // [A-Za-z0-9._-], 1…64 characters: also a topic level
  uint64_t run =
      0;  // one start of a device's program; (device, run, sequence) names a frame for ever
  uint64_t sequence = 0;    // counts up from 0 within a run
  int64_t captured_us = 0;  // microseconds since 1970-01-01 UTC; 0 where nobody knows
  TimeSource captured_from = TimeSource::kClock;
  bool has_position = false;
  double lat = 0, lon = 0;  // degrees, carried to 1e-7
  float accuracy_m = std::numeric_limits<float>::quiet_NaN();
  float heading_deg = std::numeric_limits<float>::quiet_NaN();
  uint64_t model = 0;   // ShortId of Model::hash()
  uint64_t cut = 0;     // Cut::id
  uint64_t bundle = 0;  // ShortId of the calibration bundle, 0 for none
  EdgeStages stages;
  PictureSize picture;                 // where places in the tensors mean nothing without it
  std::vector<Settled> settled;        // at most kMaxSettled
  std::optional<DeviceCounts> counts;  // now and then
  /// Of a route with one. A picture that was sure and is sent on all the same, as a sample of them,
  /// has the head's verdict as a result beside its tensors.
  std::optional<FrameGate> gate;
  /// Of a picture in which nothing is new: the sequence of the stored frame of this run that it is
  /// like. The frame holds that one's result and nothing else.
  std::optional<uint64_t> unchanged_since;
  std::vector<Payload> payloads;

  /// Back to a new frame, but for the memory of its name and lists: what is written or read next
  /// holds nothing of what was there before.
  void Reset();
};

/// True for a name that may stand in a topic and a URL.
bool IsDeviceName(std::string_view name);

/// Replaces `out` by the frame's bytes; `out` keeps its memory. The frame must be valid (checked in
/// ParseFrame's terms by its builder): names and counts past the limits are kUsage.
Status WriteFrame(const Frame& frame, std::vector<std::byte>& out);

/// Changes the wait in the send window of a frame that WriteFrame made: it is known late.
void RestampWindow(uint32_t window_us, std::span<std::byte> frame);

/// Reads a frame from foreign bytes: everything is checked before it is believed (length, checksum,
/// version, counts, coordinates, names, shapes against 2^31 elements). Payloads view into `bytes`.
/// Only the memory of `frame` is used again: it comes out as a new one would. Frames of versions 1
/// to 3, which older devices send, are read too: their one activation has no name, and in version 1
/// the time is the device's own clock.
Status ParseFrame(std::span<const std::byte> bytes, Frame& frame);

/// The device's own verdict as the bytes of a Role::kResult payload.
struct ResultPayload {
  int32_t label = -1;
  float score = 0;
  bool positive = false;
  std::string text;                  // the label's name, at most 255 bytes of UTF-8
  std::optional<Findings> findings;  // where they say more than that
};
void WriteResult(const ResultPayload& result, std::vector<std::byte>& out);
/// A score that rounding put just outside 0…1 is read as the nearest inside. kUnsupported for
/// findings of a kind that this build does not know.
Result<ResultPayload> ParseResult(std::span<const std::byte> bytes);

}  // namespace fogline
