// Lines for another program, whose slowness is its own affair.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace fogline {

/// A file, a named pipe or stdout to which lines are added. Whoever writes never waits: a reader
/// that does not keep up loses the oldest of what waits for it, which is counted and said.
/// Thread-safe.
class LineFile {
 public:
  static constexpr size_t kMostBytes = 4 << 20;                // that wait for the reader
  static constexpr Nanos kLastWait = std::chrono::seconds(1);  // at the end, without progress

  /// "-" is stdout. A file grows at its end; a named pipe needs no reader yet.
  static Result<std::unique_ptr<LineFile>> Open(const std::string& name);
  /// Hands on what waits, as long as it is taken.
  ~LineFile();

  /// `line` has no line feed.
  void Write(std::string line);

  uint64_t lost() const;
  /// That wait for the reader.
  size_t waiting_bytes() const;

 private:
  LineFile(std::string name, Descriptor file);
  void Run(const std::stop_token& stop);
  bool Put(const std::string& line, const std::stop_token& stop);
  bool WaitForReader(const std::stop_token& stop);

  const std::string name_;
  const Descriptor file_;
  mutable std::mutex mutex_;
  std::condition_variable_any filled_;
  std::deque<std::string> lines_;  // under mutex_, as are …
  size_t bytes_ = 0;               // … theirs
  uint64_t lost_ = 0;
  bool broken_ = false;  // nobody reads any more
  std::jthread writer_;
};

}  // namespace fogline
