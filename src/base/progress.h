// How far long work has come: one line on a terminal that overwrites itself, else a line of the log
// now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace fogline {

/// "calibrating 12/40 · 1 min 10 s left". Not thread-safe.
class Progress {
 public:
  /// `total` 0 means unknown: no bar and no time left. Where stderr is no terminal, `pause` passes
  /// before the first line and between lines, longer and longer up to a minute.
  Progress(std::string what, size_t total,
           std::chrono::milliseconds pause = std::chrono::seconds(10));
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance(size_t by = 1, std::string_view detail = {});

 private:
  std::string Line(std::string_view detail) const;
  void Draw(std::string_view detail);

  std::string what_;
  size_t total_;
  size_t done_ = 0;
  bool terminal_;
  std::chrono::milliseconds pause_;  // between lines
  std::chrono::steady_clock::time_point start_, last_draw_;
};

}  // namespace fogline
