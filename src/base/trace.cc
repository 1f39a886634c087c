#include "base/trace.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

namespace fogline {

Result<std::unique_ptr<TraceFile>> TraceFile::Create(const std::filesystem::path& path,
                                                     std::string_view process) {
  auto trace = std::unique_ptr<TraceFile>(new TraceFile());
  trace->path_ = path;
  trace->file_.reset(std::fopen(path.c_str(), "we"));
  if (trace->file_ == nullptr) {
    return Fail(ErrorCode::kUsage, "--trace " + path.string(), "cannot be written: {}",
                std::generic_category().message(errno));
  }
  trace->pid_ = getpid();
  trace->wall_minus_steady_us_ = static_cast<double>(Clock::Real().WallMicros()) -
                                 static_cast<double>(Clock::Real().Steady().count()) / 1000;
  std::string begin = "[";
  JsonWriter json(begin);
  json.Object([&] {
    json.Put("ph", "M");
    json.Put("name", "process_name");
    json.Put("pid", trace->pid_);
    json.Put("tid", 0);
    json.Object("args", [&] { json.Put("name", process); });
  });
  trace->Write(begin);
  return trace;
}

TraceFile::~TraceFile() {
  // Viewers read a list without its end too: what a killed process leaves is of use.
  if (file_ != nullptr) std::fputs("\n]\n", file_.get());
}

void TraceFile::Write(std::string_view text) {
  bytes_ += text.size();
  std::fwrite(text.data(), 1, text.size(), file_.get());
}

void TraceFile::Bar(std::string_view frame, std::string_view what, Nanos begin, Nanos length) {
  // A nestable asynchronous pair: bars of one id share a track, whichever process wrote them.
  std::string both;
  const auto event = [&](const char* phase, Nanos at) {
    both += ",\n";
    JsonWriter json(both);
    json.Object([&] {
      json.Put("ph", phase);
      json.Put("cat", "frame");
      json.Put("name", what);
      json.Object("id2", [&] { json.Put("global", frame); });
      json.Put("pid", pid_);
      json.Put("tid", 0);
      const double us = wall_minus_steady_us_ + static_cast<double>(at.count()) / 1000;
      json.PutJson("ts", fmt::format("{:.3f}", us));
    });
  };
  event("b", begin);
  event("e", begin + length);
  const std::lock_guard lock(mutex_);
  if (full_) return;
  if (bytes_ + both.size() > kMostBytes) {
    full_ = true;
    LogWarning("--trace {}: {} are enough; nothing more is written to it", path_.string(),
               HumanBytes(static_cast<double>(bytes_)));
    return;
  }
  Write(both);
}

std::string TraceFile::NameOf(std::string_view device, uint64_t run, uint64_t sequence) {
  return fmt::format("{}/{:016x}/{}", device, run, sequence);
}

}  // namespace fogline
