// Whether what is asked of this process would be done now: liveness (/healthz) says that it
// answers.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace fogline {

/// What a cloud says of itself.
struct CloudState {
  bool runs = false;  // it has started and does not end
  bool connected = false;
  int64_t committed_us = 0;  // wall clock of the last commit that worked; 0: none yet
  bool commit_failed = false;
};

/// What was found. The reasons are for strangers: which store it is, and what exactly failed, is in
/// the log.
struct Readiness {
  bool reads = false;
  std::optional<bool> writes;       // of a cloud
  std::optional<CloudState> cloud;  // where there is one
  std::string why;                  // empty: ready

  bool ready() const { return why.empty(); }
  /// One JSON object and a line break.
  std::string ToJson() const;
};

/// Tries the store, at most once in two seconds however many ask: a read, and in a cloud a write
/// that nobody reads. Thread-safe; whoever asks waits for the store.
class ReadinessProbe {
 public:
  /// The store must outlive it.
  explicit ReadinessProbe(Store& store, const Clock& clock = Clock::Real())
      : store_(store), clock_(clock) {}

  Readiness Ask(const std::optional<CloudState>& cloud);

 private:
  struct Tried {
    Status read, written;
  };
  const Tried& Try(bool write);

  Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<Tried> tried_;
  Nanos tried_at_{0};
};

}  // namespace fogline
