// One line on a terminal that overwrites itself while long work runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace fogline {

/// "calibrating 12/40 · 1m 10s left". Silent when stderr is no terminal. Not thread-safe.
class Progress {
 public:
  /// `total` 0 means unknown: no bar and no time left.
  Progress(std::string what, size_t total);
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Advance(size_t by = 1, std::string_view detail = {});

 private:
  void Draw(std::string_view detail);

  std::string what_;
  size_t total_;
  size_t done_ = 0;
  bool shown_;
  std::chrono::steady_clock::time_point start_, last_draw_;
};

}  // namespace fogline
