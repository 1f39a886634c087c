// The cloud's answer to one frame. docs/wire_format.md describes every byte.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "frame/frame.h"

namespace fogline {

/// What became of a frame. Only kStored and kDuplicate mean that it is safe.
enum class AckStatus : uint8_t {
  kStored = 0,
  kDuplicate = 1,  // stored before: a repeat after a lost answer
  kRefused = 2,    // never: the frame itself is at fault, and sending it again is useless
  kRetry = 3,      // not now (a full disk, a model that is not there yet): send it again later
};

/// Durations in the cloud, microseconds. `total` runs from the frame's arrival to this answer.
struct CloudStages {
  uint32_t queue = 0, decode = 0, suffix = 0, store = 0, total = 0;
};

struct Ack {
  AckStatus status = AckStatus::kStored;
  uint64_t run = 0;
  uint64_t sequence = 0;
  CloudStages stages;
  int32_t label = -1;
  float score = 0;
  std::string message;  // why a frame is not stored, at most 255 bytes
  /// What was found in the picture, for a device that asked (FindingsTopic) and whose frame is
  /// stored.
  std::optional<ResultPayload> result;
};

/// Replaces `out` by the answer's bytes: of version 1, which every device reads, or of version 2
/// where there is a result.
void WriteAck(const Ack& ack, std::vector<std::byte>& out);
/// Of findings of a kind that this build does not know nothing is read: the answer counts without
/// its result. kInvalid for what is no answer.
Result<Ack> ParseAck(std::span<const std::byte> bytes);

}  // namespace fogline
