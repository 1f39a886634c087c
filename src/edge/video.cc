#include "edge/video.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/log.h"
#include "base/process.h"
#include "base/url.h"
#include "edge/camera_clock.h"
#include "edge/interruption.h"
#include "edge/ppm.h"
#include "link/backoff.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// A stream that lasted so long may be begun anew at once; one that breaks off sooner, each time
/// later.
constexpr Nanos kLasting = 1s;
/// What a child that closed its output has left to say is waited for so long.
constexpr Nanos kLastWords = 2s;
/// Larger than the kernel's usual, so that a picture takes fewer turns; the most that everybody may
/// ask for.
constexpr int kPipeBytes = 1 << 20;

int CeilMillis(Nanos t) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(t).count());
}

/// ffmpeg at work. Its pictures are read without waiting.
class Decoder {
 public:
  static Result<Decoder> Start(const VideoRequest& request) {
    const FfmpegCall call = CallOf(request);
    Descriptor script;
    if (!call.script.empty()) {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) {
        return Fail(ErrorCode::kExhausted, request.program, "cannot make a pipe: {}",
                    std::generic_category().message(errno));
      }
      script = Descriptor(ends[0]);
      const Descriptor into(ends[1]);
      // Shorter than any pipe: this waits for nobody.
      (void)!write(into.get(), call.script.data(), call.script.size());
    }
    FOGLINE_TRY(Process child, Process::Start({.command = call.words,
                                               .capture_stdout = true,
                                               .stderr_to = {},
                                               .stdin_fd = script.get(),
                                               .capture_stderr = true,
                                               .death_signal = SIGKILL}));
    for (const int fd : {child.stdout_fd(), child.stderr_fd()}) {
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    fcntl(child.stdout_fd(), F_SETPIPE_SZ, kPipeBytes);
    return Decoder(std::move(child), request.name);
  }
  Decoder(Decoder&&) = default;
  Decoder& operator=(Decoder&&) = default;
  ~Decoder() { End(); }

  int pictures_fd() const { return child_.stdout_fd(); }
  /// −1 once it has said all.
  int words_fd() const { return said_all_ ? -1 : child_.stderr_fd(); }
  FfmpegLog& log() { return log_; }

  /// Reads what it has said so far.
  void Listen() {
    std::array<char, 4096> text;
    while (!said_all_) {
      const ssize_t n = read(child_.stderr_fd(), text.data(), text.size());
      if (n > 0) {
        log_.Feed({text.data(), static_cast<size_t>(n)});
      } else if (n == 0) {
        said_all_ = true;
      } else if (errno != EINTR) {
        return;
      }
    }
  }
  /// Ends it at once; its exit status.
  int End() { return child_.Stop(0ms); }
  /// The same of one that ends by itself.
  int Wait() { return child_.Wait(); }

 private:
  Decoder(Process child, const std::string& secret) : child_(std::move(child)), log_(secret) {}

  Process child_;
  FfmpegLog log_;
  bool said_all_ = false;
};

class VideoSource final : public Source {
 public:
  VideoSource(VideoRequest request, const VideoOptions& options)
      : request_(std::move(request)),
        options_(options),
        name_(WithoutSecrets(request_.name)),
        backoff_(50ms, 2s, std::random_device{}()) {
    if (!request_.live()) date_ = FileDate(request_.name);
  }

  void Interrupt() override { interrupt_.Set(); }

  std::optional<SourceState> state() const override {
    const std::lock_guard lock(mutex_);
    return state_;
  }

  Result<bool> Next(Capture& out) override {
    for (;;) {
      if (ended_) return false;
      if (!decoder_) {
        if (!Rest()) return Stopped();
        FOGLINE_CHECK(Begin());
        if (!decoder_) continue;
      }
      FOGLINE_TRY(const Got got, Read());
      switch (got) {
        case Got::kPicture:
          Give(out);
          return true;
        case Got::kStop:
          return Stopped();
        case Got::kSilence:
          Lose(Trouble::kSilent, "");
          break;
        case Got::kEnd:
          FOGLINE_CHECK(OnEnd());
          break;
      }
    }
  }

 private:
  enum class Got { kPicture, kStop, kEnd, kSilence };

  Result<bool> Stopped() {
    decoder_.reset();
    return false;
  }

  /// Waits as long as what went wrong asks for; false when a stop is asked for.
  bool Rest() {
    const Nanos wait = std::exchange(rest_, Nanos(0));
    return interrupt_.Wait(-1, 0, CeilMillis(wait)) != Interruption::Wake::kStopped;
  }

  /// Starts the decoder. Of a stream a failure is one more loss: memory comes back, and so does a
  /// program that is being upgraded.
  Status Begin() {
    picture_ = {};
    reader_.Reset();
    auto decoder = Decoder::Start(request_);
    if (decoder) {
      decoder_ = *std::move(decoder);
      heard_ = began_ = Clock::Real().Steady();
    } else if (request_.live()) {
      Lose(Trouble::kBroken, decoder.error().ToString());
    } else {
      ended_ = true;
      return tl::unexpected<Error>(std::move(decoder.error()));
    }
    return {};
  }

  /// Reads until a picture is whole, or there is another reason to go on.
  Result<Got> Read() {
    for (;;) {
      const std::span<std::byte> room = reader_.Room();
      const ssize_t n = read(decoder_->pictures_fd(), room.data(), room.size());
      if (n > 0) {
        heard_ = Clock::Real().Steady();
        if (!reader_.begun()) picture_ = {heard_, Clock::Real().WallMicros()};
        const auto whole = reader_.Filled(static_cast<size_t>(n));
        if (!whole) return Garbled(whole.error());
        if (*whole) return Got::kPicture;
        continue;
      }
      if (n == 0) return Got::kEnd;
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return Got::kEnd;
      decoder_->Listen();
      const Nanos left = heard_ + options_.patience - Clock::Real().Steady();
      if (request_.live() && left <= Nanos(0)) return Got::kSilence;
      switch (interrupt_.Wait(decoder_->pictures_fd(), POLLIN,
                              request_.live() ? CeilMillis(left) : -1, decoder_->words_fd())) {
        case Interruption::Wake::kStopped:
          return Got::kStop;
        case Interruption::Wake::kFailed:
          return Got::kEnd;
        case Interruption::Wake::kTimeout:
        case Interruption::Wake::kReady:
          break;
      }
    }
  }

  /// What comes is no picture of ours.
  Result<Got> Garbled(const Error& error) {
    decoder_->End();
    ended_ = !request_.live();
    if (ended_) return Fail(error.code, name_, "{}", error.message);
    LogWarning("{}: {}", name_, error.message);
    return Got::kEnd;
  }

  void Give(Capture& out) {
    reader_.Take(out.image);
    decoder_->Listen();
    out.where = name_ + " picture " + std::to_string(++count_);
    out.began = picture_.began;
    const std::optional<double> seconds = decoder_->log().NextPicture();
    if (request_.live()) {
      out.captured_us = picture_.arrived_us;
      out.captured_from = TimeSource::kClock;
    } else {
      const Captured when = When(seconds);
      out.captured_us = when.us;
      out.captured_from = when.from;
    }
    if (picture_.began - began_ >= kLasting) backoff_.Reset();
    const std::lock_guard lock(mutex_);
    if (state_.giving) return;
    state_.giving = true;
    if (lost_)
      LogInfo("{}: pictures again after {:.1f} s", name_, Millis(picture_.began - *lost_) / 1000);
    lost_.reset();
    told_.reset();
  }

  /// When a picture of a video was taken, so many seconds after its beginning.
  Captured When(std::optional<double> seconds) {
    const auto& created = decoder_->log().created();
    if (!created || !seconds) return date_;
    const int64_t start_us = created->local_us - created->offset_s.value_or(0) * int64_t{1'000'000};
    return {start_us + std::llround(*seconds * 1e6), TimeSource::kOffset};
  }

  /// Its output is closed.
  Status OnEnd() {
    const Nanos until = Clock::Real().Steady() + kLastWords;
    for (;;) {
      decoder_->Listen();
      const Nanos left = until - Clock::Real().Steady();
      if (decoder_->words_fd() < 0 || left <= Nanos(0)) break;
      if (interrupt_.Wait(-1, 0, CeilMillis(left), decoder_->words_fd()) ==
          Interruption::Wake::kStopped) {
        break;
      }
    }
    const bool in_order = (decoder_->words_fd() < 0 ? decoder_->Wait() : decoder_->End()) == 0;
    const FfmpegLog& log = decoder_->log();
    const std::string error = log.last_error();
    const Trouble trouble = in_order ? Trouble::kEnded : log.trouble().value_or(Trouble::kBroken);
    if (request_.live()) {
      Lose(trouble, in_order ? "" : error);
      return {};
    }
    decoder_.reset();
    if (in_order && count_ > 0) {
      if (!error.empty()) LogWarning("{}: ffmpeg says: {}", name_, error);
      ended_ = !options_.loop;
      return {};
    }
    ended_ = true;
    return Fail(ErrorCode::kInvalid, name_, "{}{}{}",
                WordsOf(in_order ? Trouble::kNoVideo : trouble), error.empty() ? "" : ": ", error);
  }

  /// A stream gives nothing more: it will be begun anew.
  void Lose(Trouble trouble, const std::string& error) {
    decoder_.reset();
    rest_ = trouble == Trouble::kDenied ? options_.after_denial : backoff_.Next();
    const std::lock_guard lock(mutex_);
    ++state_.losses[static_cast<size_t>(trouble)];
    state_.giving = false;
    if (!lost_) lost_ = Clock::Real().Steady();
    if (told_ == trouble) return;
    told_ = trouble;
    LogWarning("{}: {}{}{}{}; it is begun anew{}", name_, WordsOf(trouble),
               error.empty() ? "" : " (", error, error.empty() ? "" : ")",
               trouble == Trouble::kDenied
                   ? fmt::format(" in {:.0f} s", Millis(options_.after_denial) / 1000)
                   : "");
  }

  const VideoRequest request_;
  const VideoOptions options_;
  const std::string name_;  // without secrets
  Captured date_;           // of a file
  Interruption interrupt_;
  std::optional<Decoder> decoder_;
  PpmReader reader_;
  struct {
    Nanos began{0};
    int64_t arrived_us = 0;
  } picture_;       // the one that is being read
  Nanos began_{0};  // the decoder
  Nanos heard_{0};  // any byte of a picture
  uint64_t count_ = 0;
  bool ended_ = false;
  Backoff backoff_;
  Nanos rest_{0};                // before it is begun anew
  std::optional<Nanos> lost_;    // since when
  std::optional<Trouble> told_;  // in the log
  mutable std::mutex mutex_;
  SourceState state_;  // under mutex_
};

/// Whether a program can be started by this name.
bool IsThere(const std::string& program) {
  if (program.find('/') != program.npos) return access(program.c_str(), X_OK) == 0;
  const char* const path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    folder += '/';
    folder += program;
    if (access(folder.c_str(), X_OK) == 0) return true;
  }
  return false;
}

Status CheckAddress(const std::string& address) {
  const bool scheme =
      std::ranges::any_of(std::array{"rtsp://", "rtsps://", "http://", "https://"},
                          [&](const char* known) { return address.starts_with(known); });
  const bool odd =
      std::ranges::any_of(address, [](unsigned char c) { return c < ' ' || c == 127; });
  if (scheme && !odd && Url::Parse(address)) return {};
  return Fail(
      ErrorCode::kUsage, "--source " + WithoutSecrets(address),
      "is no address of a stream: rtsp://[NAME:PASSWORD@]HOST[:PORT]/PATH, rtsps://, http:// "
      "or https://");
}

}  // namespace

Result<std::unique_ptr<Source>> OpenVideo(VideoRequest request, const VideoOptions& options) {
  if (request.kind == VideoRequest::Kind::kStream) FOGLINE_CHECK(CheckAddress(request.name));
  if (!IsThere(request.program)) {
    return Fail(ErrorCode::kNotFound, WithoutSecrets(request.name),
                "is read by ffmpeg, which is not installed: apt-get install ffmpeg");
  }
  return std::make_unique<VideoSource>(std::move(request), options);
}

}  // namespace fogline
