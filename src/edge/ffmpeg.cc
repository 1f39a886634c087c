#include "edge/ffmpeg.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"
#include "base/text.h"
#include "base/url.h"

namespace fogline {
namespace {

using Kind = VideoRequest::Kind;

/// Longer lines are cut: no message of ffmpeg's is.
constexpr size_t kLongestSaid = 4096;
/// A stream whose codec says nothing of its rate is looked at for so long before it begins.
constexpr int kProbeMicros = 500'000;

void Append(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more);
}

/// A file name in ffmpeg's quotes.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// One file in the language of ffmpeg's `concat` reader, with the options that it is opened with.
std::string ScriptFor(const VideoRequest& request) {
  std::string script = "ffconcat version 1.0\nfile " + Quoted(request.name) + "\n";
  if (request.name.starts_with("rtsp")) {
    script += fmt::format("option rtsp_transport tcp\noption analyzeduration {}\n", kProbeMicros);
  } else {
    // JPEGs over HTTP have no times of their own.
    script += "option use_wallclock_as_timestamps 1\n";
  }
  return script;
}

/// What becomes of pictures before they come to us, in ffmpeg's language of filters.
std::string FiltersFor(const VideoRequest& request) {
  std::string filters;
  const auto add = [&](const std::string& filter) {
    filters += (filters.empty() ? "" : ",") + filter;
  };
  if (request.frame_rate > 0) {
    // The first picture of each slot of 1/rate seconds; never one twice.
    add(fmt::format(
        "select='isnan(t)+isnan(prev_selected_t)+gt(floor(t*{0}+0.001),floor(prev_selected_t*{0}+0."
        "001))'",
        request.frame_rate));
  }
  if (request.at_least > 0) {
    add(
        fmt::format("scale=w='if(lt(iw,ih),min(iw,{0}),-1)':h='if(lt(iw,ih),-1,min(ih,{0}))':flags="
                    "area",
                    request.at_least));
  }
  if (!request.live()) add("showinfo=checksum=0");  // when each picture is, on stderr
  return filters.empty() ? "null" : filters;
}

/// How bad a line is, "[error] " for example, and what follows that; nothing of both in a line that
/// is not ffmpeg's.
std::pair<std::string_view, std::string_view> Apart(std::string_view line) {
  for (const std::string_view level : {"[info] ", "[warning] ", "[error] ", "[fatal] "}) {
    const size_t at = line.find(level);
    if (at != line.npos) return {level, line.substr(at + level.size())};
  }
  return {};
}

struct Sign {
  std::string_view text;
  Trouble trouble;
};
/// What ffmpeg's messages have in common; the first that is found counts.
constexpr std::array kSigns{
    Sign{"401 Unauthorized", Trouble::kDenied},
    Sign{"403 Forbidden", Trouble::kDenied},
    Sign{"authorization failed", Trouble::kDenied},
    Sign{"404 Not Found", Trouble::kMissing},
    Sign{"404 Stream Not Found", Trouble::kMissing},
    Sign{"No such file or directory", Trouble::kMissing},
    Sign{"Connection refused", Trouble::kUnreachable},
    Sign{"Connection reset", Trouble::kUnreachable},
    Sign{"Connection timed out", Trouble::kUnreachable},
    Sign{"Operation timed out", Trouble::kUnreachable},
    Sign{"No route to host", Trouble::kUnreachable},
    Sign{"Network is unreachable", Trouble::kUnreachable},
    Sign{"Host is down", Trouble::kUnreachable},
    Sign{"Failed to resolve hostname", Trouble::kUnreachable},
    Sign{"matches no streams", Trouble::kNoVideo},
    Sign{"Invalid data found when processing input", Trouble::kNoVideo},
};

std::optional<double> NumberBehind(std::string_view line, std::string_view name) {
  const size_t at = line.find(name);
  if (at == line.npos) return std::nullopt;
  const char* const begin = line.data() + at + name.size();
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, line.data() + line.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

FfmpegCall CallOf(const VideoRequest& request) {
  FfmpegCall call;
  std::vector<std::string>& words = call.words;
  words = {request.program, "-hide_banner", "-nostdin",
           "-nostats",      "-loglevel",    request.live() ? "level+error" : "level+info"};
  // Threads that share a picture, rather than have one each, hold none back.
  if (request.live()) Append(words, {"-thread_type", "slice"});
  words.insert(words.end(), request.decoder.begin(), request.decoder.end());
  switch (request.kind) {
    case Kind::kStream:
      Append(words, {"-protocol_whitelist", "pipe,rtsp,rtp,udp,tcp,tls,http,https,httpproxy,crypto",
                     "-f", "concat", "-safe", "0", "-i", "pipe:0"});
      call.script = ScriptFor(request);
      break;
    case Kind::kFile:
      Append(words, {"-protocol_whitelist", "file", "-i", "file:" + request.name});
      break;
    case Kind::kCamera:
      Append(words, {"-f", "v4l2", "-video_size",
                     fmt::format("{}x{}", request.width, request.height), "-i", request.name});
      break;
  }
  Append(words,
         {"-map", "0:v:0", "-vf", FiltersFor(request), "-fps_mode", "passthrough", "-pix_fmt",
          "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-flush_packets", "1", "pipe:1"});
  return call;
}

const char* NameOf(Trouble trouble) {
  constexpr std::array kNames{"unreachable", "missing", "denied", "silent",
                              "no_video",    "ended",   "broken"};
  static_assert(kNames.size() == kTroubles);
  return kNames[static_cast<size_t>(trouble)];
}

const char* WordsOf(Trouble trouble) {
  constexpr std::array kWords{"nobody answers there",
                              "there is no such stream",
                              "refuses the name or password",
                              "gave nothing for too long",
                              "holds no video that ffmpeg can decode",
                              "ended",
                              "broke off"};
  static_assert(kWords.size() == kTroubles);
  return kWords[static_cast<size_t>(trouble)];
}

FfmpegLog::FfmpegLog(std::string secret)
    : secret_(std::move(secret)), shown_(WithoutSecrets(secret_)) {}

void FfmpegLog::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (c != '\n' && c != '\r') {
      if (partial_.size() < kLongestSaid) partial_ += c;
      continue;
    }
    Line(partial_);
    partial_.clear();
  }
}

std::optional<double> FfmpegLog::NextPicture() {
  if (pictures_.empty()) return std::nullopt;
  const std::optional<double> seconds = pictures_.front();
  pictures_.pop_front();
  return seconds;
}

void FfmpegLog::Line(std::string_view line) {
  const auto [level, text] = Apart(line);
  if (level == "[info] ") {
    if (line.starts_with("[Parsed_showinfo")) {
      if (text.starts_with("n:")) pictures_.push_back(NumberBehind(text, " pts_time:"));
      return;
    }
    mapped_ = mapped_ || text.starts_with("Stream mapping");
    // Apple's name has the offset from UTC; the other is in UTC.
    const bool apples = text.find("com.apple.quicktime.creationdate") != text.npos;
    if (mapped_ || (!apples && text.find("creation_time") == text.npos)) return;
    const size_t colon = text.find(": ");
    if (colon == text.npos || (created_ && !apples)) return;
    if (const auto time = ParseCameraTime(Trim(text.substr(colon + 2)))) created_ = time;
    return;
  }
  if (level.empty() || level == "[warning] ") return;
  last_error_ = WithoutSecret(Trim(text));
  for (const Sign& sign : kSigns) {
    if (text.find(sign.text) == text.npos) continue;
    trouble_ = sign.trouble;
    return;
  }
}

/// Its address is repeated as it was given, and what lies between its "://" and host never else.
std::string FfmpegLog::WithoutSecret(std::string_view text) const {
  std::string shown = Printable(text);
  const size_t mark = secret_.find("://");
  if (mark == secret_.npos) return shown;
  const auto replace = [&](std::string_view what, std::string_view by) {
    for (size_t at = 0; !what.empty() && (at = shown.find(what, at)) != shown.npos;
         at += by.size()) {
      shown.replace(at, what.size(), by);
    }
  };
  replace(secret_, shown_);
  const auto url = Url::Parse(secret_);
  if (url && url->password) replace(*url->password, "…");
  const size_t query = secret_.find('?');
  if (query != secret_.npos) replace(std::string_view(secret_).substr(query), "");
  return shown;
}

}  // namespace fogline
