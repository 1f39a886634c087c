// Streams and videos, decoded by ffmpeg in a child process that is watched over.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "edge/ffmpeg.h"
#include "edge/source.h"

namespace fogline {

struct VideoOptions {
  bool loop = false;  // a video starts over at its end
  /// A stream that gives nothing for so long is begun anew; longer than the camera's key frames
  /// are apart.
  Nanos patience = std::chrono::seconds(20);
  /// How long a stream that refused our name or password is left alone: cameras shut out who tries
  /// too often.
  Nanos after_denial = std::chrono::minutes(1);
};

/// A video's pictures, every one, until its end. A stream's as they come, until a stop: whatever
/// ends it, it is begun anew, after a wait that grows to 2 s; what went wrong is said once, and
/// counted in state(). The time of a stream's picture is that of its arrival; of a video's what the
/// container says, or else the file's date. kNotFound without ffmpeg, kUsage for an address that is
/// none. The child never outlives the thread that asks for pictures, nor us.
Result<std::unique_ptr<Source>> OpenVideo(VideoRequest request, const VideoOptions& options);

}  // namespace fogline
