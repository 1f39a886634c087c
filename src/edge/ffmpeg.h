// What ffmpeg is told, and what it says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vision/exif_time.h"

namespace fogline {

/// A stream or a video, and what of it is wanted.
struct VideoRequest {
  enum class Kind : uint8_t {
    kStream,  // an address; it is live, and has no end
    kFile,    // a video; every picture of it, and then it ends
    kCamera,  // a V4L2 device; live
  };
  Kind kind = Kind::kStream;
  std::string name = {};  // address, path or device
  double frame_rate = 0;  // pictures a second of its own time at most; 0: all
  int at_least = 0;       // larger pictures are shrunk until their shorter side is this; 0: none is
  int width = 0, height = 0;              // asked of a camera
  std::vector<std::string> decoder = {};  // words for ffmpeg before its input
  std::string program = "ffmpeg";

  bool live() const { return kind != Kind::kFile; }
};

/// A command line, and what its program reads on stdin: addresses hold passwords, and everybody may
/// read the words of a command line.
struct FfmpegCall {
  std::vector<std::string> words;
  std::string script;
};
/// Raw pictures of the request on stdout (edge/ppm.h), what happens on stderr (FfmpegLog).
FfmpegCall CallOf(const VideoRequest& request);

/// Why there are no pictures.
enum class Trouble : uint8_t {
  kUnreachable,  // nobody listens there, or there is no such host
  kMissing,      // there is no such stream, or no such file
  kDenied,       // name or password
  kSilent,       // nothing came for too long
  kNoVideo,      // nothing in it that ffmpeg can decode
  kEnded,        // it ended in order
  kBroken,       // whatever else
};
inline constexpr size_t kTroubles = 7;
/// For metrics: "unreachable" …
const char* NameOf(Trouble trouble);
/// For people: "nobody answers there" …
const char* WordsOf(Trouble trouble);

/// Understands what ffmpeg writes with `-loglevel level+…`. A plain state machine.
class FfmpegLog {
 public:
  /// `secret`: the address, which is shown as WithoutSecrets says wherever a line repeats it.
  explicit FfmpegLog(std::string secret);

  /// The next bytes of its stderr, torn anywhere.
  void Feed(std::string_view bytes);
  /// What went wrong according to its last line that says so.
  std::optional<Trouble> trouble() const { return trouble_; }
  /// Its last line about an error, without its prefixes and any secret; empty without one.
  const std::string& last_error() const { return last_error_; }
  /// When the video begins, as its container says.
  std::optional<CameraTime> created() const { return created_; }
  /// Seconds from the video's beginning to its next picture, for each in turn; nothing where it
  /// has not said so.
  std::optional<double> NextPicture();

 private:
  void Line(std::string_view line);
  std::string WithoutSecret(std::string_view text) const;

  std::string secret_, shown_;
  std::string partial_;
  std::optional<Trouble> trouble_;
  std::string last_error_;
  std::optional<CameraTime> created_;
  bool mapped_ = false;  // from then on it speaks of its output
  std::deque<std::optional<double>> pictures_;
};

}  // namespace fogline
