// What a cloud worker has done so far, in numbers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/result.h"
#include "cloud/device_windows.h"
#include "frame/ack.h"
#include "frame/answer.h"

namespace fogline {

/// Memory that grows with what comes in, in bytes, at one moment. The bound of each is in
/// docs/operations.md.
struct CloudHeld {
  uint64_t networks = 0;       // models and open halves
  uint64_t waiting = 0;        // frames, for a worker
  uint64_t results = 0;        // for a commit
  uint64_t unsent = 0;         // answers, for the broker to take
  DeviceWindows::Held window;  // of the device that has most under way
};

/// Things that are remembered of what came in, one each. Bounded likewise.
struct CloudRemembers {
  uint64_t watched = 0;   // devices whose rate is
  uint64_t troubles = 0;  // devices that had some
  uint64_t costs = 0;     // halves of networks whose cost was measured
  uint64_t decoders = 0;  // of all workers
  uint64_t failures = 0;  // halves that could not be opened
};

/// Thread-safe.
struct CloudStats {
  // Frames that hold something to store, each counted once an arrival.
  std::atomic<uint64_t> received{0}, stored{0}, duplicates{0}, refused{0}, retried{0};
  std::array<std::atomic<uint64_t>, kReasons> unstored{};  // refused and retried, by ErrorCode
  std::atomic<uint64_t> waiting{0};                        // now, for a worker
  std::atomic<uint64_t> limited{0};  // beyond a device's rate: not looked at, the device repeats
  std::atomic<uint64_t> times_not_believed{0};   // of capture, stored as unknown
  std::atomic<uint64_t> thumbnails_left_out{0};  // of frames that were stored without
  // Stored pictures that a device was sure of at an early exit and sent on all the same, and those
  // of them of which the whole network said something else.
  std::atomic<uint64_t> audited{0}, audits_differ{0};
  std::atomic<uint64_t> put_off{0};   // of the retried, since their device had enough waiting
  std::atomic<uint64_t> watched{0};   // devices whose rate is remembered now
  std::atomic<uint64_t> decoders{0};  // that the workers keep now

  std::atomic<uint64_t> commits{0};      // that worked: batches of one frame or many
  std::atomic<int64_t> committed_us{0};  // wall clock of the last commit that worked; 0: none yet
  std::atomic<int64_t> commit_failed_us{0};  // of the last one, where that failed; 0: it did not

  /// Counts an answer that is not "stored".
  void CountUnstored(AckStatus status, ErrorCode code) {
    ++(status == AckStatus::kRefused ? refused : retried);
    ++unstored[static_cast<size_t>(code)];
  }
};

}  // namespace fogline
