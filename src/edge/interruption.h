// Waiting for a descriptor without waiting for ever.
#pragma once

#include "base/descriptor.h"

namespace fogline {

/// Ends a wait of another thread, and every wait after it. Thread-safe.
class Interruption {
 public:
  Interruption();

  void Set();
  bool set() const;

  enum class Wake { kReady, kStopped, kTimeout, kFailed };
  /// Waits until a descriptor is ready for `events` (poll's), or `also` is, a stop is asked for or
  /// Set was called, at most `timeout_ms` (−1: for ever). Descriptors may be −1. kFailed leaves
  /// errno.
  Wake Wait(int descriptor, short events, int timeout_ms, int also = -1) const;

 private:
  const Descriptor event_;
};

}  // namespace fogline
