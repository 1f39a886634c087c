// "Not now" and "never": which answer an error means for the frame that met it.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/result.h"
#include "frame/ack.h"

namespace fogline {

/// What the cloud answers to a frame that ended in `error`. Only a frame that is itself at fault is
/// refused for ever: its bytes are not what they claim to be (kInvalid), or of a kind that this
/// build does not read (kUnsupported). Everything else may pass, so that the device keeps the frame
/// and sends it again: a model, bundle or store that is missing, other or sick; want of memory,
/// disk or descriptors; a fault of our own. Code that a frame passes on its way to the store must
/// therefore use these two codes for the frame's own faults alone.
inline AckStatus AnswerTo(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kUnsupported:
      return AckStatus::kRefused;
    case ErrorCode::kUsage:
    case ErrorCode::kNotFound:
    case ErrorCode::kUnavailable:
    case ErrorCode::kExhausted:
    case ErrorCode::kConflict:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      return AckStatus::kRetry;
  }
  return AckStatus::kRetry;
}

/// What a device is told of an error that its frame met: all of it where it is about the frame, or
/// about a model or a bundle by the names that travel; of what is the cloud's own (its disk, store
/// and engine, with their paths, addresses and words) only the kind. The cloud's log says it all.
std::string ReasonFor(AckStatus status, const Error& error);

/// How many kinds of reasons there are, and one word for each, for figures.
inline constexpr size_t kReasons = static_cast<size_t>(ErrorCode::kInternal) + 1;
inline const char* ReasonWord(ErrorCode code) {
  static constexpr std::array<const char*, kReasons> kWords{
      "usage",     "not-found", "invalid",   "unsupported", "unavailable",
      "exhausted", "conflict",  "cancelled", "internal"};
  return kWords[static_cast<size_t>(code)];
}

}  // namespace fogline
