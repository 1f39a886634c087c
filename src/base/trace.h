// Where each frame's time went, as chrome://tracing and ui.perfetto.dev show it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace fogline {

/// A file of bars on a time line, one track a frame. Files of edges and clouds join into one
/// (`jq -s add edge.json cloud.json`): the bars of a frame meet on its track, since its name
/// (device, run, sequence) is the same in all of them. Bars stand by the host's wall clock at the
/// file's start and are as long as its steady clock says; between two hosts, only lengths are to be
/// believed. Thread-safe.
class TraceFile {
 public:
  static constexpr uint64_t kMostBytes = 256 << 20;  // then it stops growing, and says so

  /// `process` names this side in the viewer.
  static Result<std::unique_ptr<TraceFile>> Create(const std::filesystem::path& path,
                                                   std::string_view process);
  ~TraceFile();

  /// One bar on a frame's track, by the steady clock.
  void Bar(std::string_view frame, std::string_view what, Nanos begin, Nanos length);

  /// The name of a frame's track.
  static std::string NameOf(std::string_view device, uint64_t run, uint64_t sequence);

 private:
  TraceFile() = default;
  void Write(std::string_view text);

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::mutex mutex_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::filesystem::path path_;
  uint64_t bytes_ = 0;
  bool full_ = false;
  double wall_minus_steady_us_ = 0;
  int pid_ = 0;
};

}  // namespace fogline
