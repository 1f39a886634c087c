// Where pictures come from: a folder, a stream of JPEGs, a camera, a video.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/url.h"
#include "edge/ffmpeg.h"
#include "frame/time_source.h"
#include "vision/folder.h"
#include "vision/image.h"

namespace fogline {

/// One picture as its source gave it: still compressed, or as pixels.
struct Capture {
  std::vector<std::byte> file;  // JPEG, PNG, WebP, HEIC or AVIF
  Image image;                  // where it came as pixels, and `file` is empty
  std::string where;            // names it in messages
  /// When it was taken as far as the source knows, and how it knows; a camera's own time in EXIF
  /// counts more.
  int64_t captured_us = 0;
  TimeSource captured_from = TimeSource::kNone;
  Nanos began{0};  // steady clock when its first bytes were there: waiting for it is not reading it
};

/// Of a source that may go away and come back.
struct SourceState {
  bool giving = false;                       // now
  std::array<uint64_t, kTroubles> losses{};  // how often it gave nothing more, by why

  uint64_t total() const { return std::accumulate(losses.begin(), losses.end(), uint64_t{0}); }
};

/// Gives one picture after the other. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  /// Fills `out`, whose memory is reused. False at the end of the pictures or when a stop was asked
  /// for. A picture that cannot be read is an error that names it; the next call goes on with the
  /// next one.
  virtual Result<bool> Next(Capture& out) = 0;
  /// From another thread: a Next that waits for a picture ends, and every later one, with false. A
  /// source that never waits needs none.
  virtual void Interrupt() {}
  /// From any thread: how it stands with a source that is watched over; nothing of any other.
  virtual std::optional<SourceState> state() const { return std::nullopt; }
};

/// The pictures of a folder, or of all below it, in the order of their paths; `loop` starts over at
/// the end.
Result<std::unique_ptr<Source>> OpenFolder(const std::string& folder, bool loop,
                                           Depth depth = Depth::kFlat);

/// JPEG pictures one after the other on a descriptor (stdin), as `ffmpeg -f mjpeg -` or `rpicam-vid
/// --codec mjpeg -o -` write them. A slow reader holds back the writer.
std::unique_ptr<Source> OpenMjpeg(int descriptor, std::string name);

/// A V4L2 camera that gives MJPEG, at the size nearest to width × height; kUnsupported for one that
/// gives none.
Result<std::unique_ptr<Source>> OpenCamera(const std::string& device, int width, int height);

/// What `--source` names: "-" for stdin, /dev/video… for a camera, rtsp:// or http:// for a stream,
/// a file for a video, else a folder.
struct SourceOptions {
  std::string name;
  bool loop = false;
  bool recursive = false;         // a folder with all below it
  int width = 640, height = 480;  // asked of a camera
  double frame_rate = 0;     // pictures a second that are taken out of a stream or video; 0: all
  int at_least = 0;          // of its pictures' shorter side that is of use; 0: all of it
  std::string decoder = {};  // words for ffmpeg before its input, between blanks

  Depth depth() const { return DepthOf(recursive); }
  /// Its name for messages, without passwords.
  std::string shown() const { return WithoutSecrets(name); }
  /// Whether pictures come at a pace of their own, so that who is slow misses some: only the newest
  /// of them is of use then.
  bool live() const { return name.find("://") != std::string::npos; }
};
Result<std::unique_ptr<Source>> OpenSource(const SourceOptions& options);

}  // namespace fogline
