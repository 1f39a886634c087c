// What was sent and is not yet known to be stored.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "edge/aside.h"
#include "edge/spool_record.h"
#include "frame/stages.h"

namespace fogline {

/// What tells the frames of one device apart.
struct FrameName {
  uint64_t run = 0, sequence = 0;
  bool operator==(const FrameName&) const = default;
};

/// One frame under way.
struct InFlight {
  uint64_t run = 0, sequence = 0;
  std::vector<std::byte> bytes;
  FrameNeeds needs;
  SpoolPlace place;  // where a copy lies on disk
  Nanos started{0};  // when work on the picture began
  Nanos last_sent{0};
  Nanos patience{0};  // after the last sending, until it is sent again
  int sends = 0;
  int not_now = 0;       // times that the cloud asked for patience
  bool due = false;      // to be sent at once
  bool telling = false;  // without payloads: it tells network times and is nothing to store
  StageTimes stages;     // the device's part
  uint64_t ticket = 0;   // the owner's own name for it; 0: none, as after a while on the disk

  FrameName name() const { return {run, sequence}; }
};

/// The send window: at most `size` frames whose storage is not acknowledged. It counts
/// acknowledgements by the store, not by the broker, so that a broker that drops messages costs a
/// repeat and never a frame. A plain state machine: no thread, no I/O; the caller locks.
class SendWindow {
 public:
  SendWindow(size_t size, Nanos patience, Nanos most_patience)
      : size_(size), patience_(patience), most_patience_(most_patience) {}

  bool full() const { return frames_.size() >= size_; }
  bool empty() const { return frames_.empty(); }
  size_t count() const { return frames_.size(); }

  /// Takes a frame in, due for its first sending. The reference is good until the window changes.
  InFlight& Add(InFlight frame);

  /// The next frame to send now: never sent, declared due, or past its patience. Nothing when all
  /// can wait.
  InFlight* NextDue(Nanos now);
  /// Records that a frame has just been sent; its patience doubles with every repeat.
  void Sent(InFlight& frame, Nanos now);
  /// The connection is new: nobody knows what the old one lost, so everything is sent again.
  void EverythingIsDue();
  /// A frame under way; null when it is not (a second answer).
  InFlight* Find(uint64_t run, uint64_t sequence);
  /// The cloud asked for patience: the frame stays, and its wait begins anew.
  void Defer(InFlight& frame, Nanos now);
  /// Takes back in what was removed, deferred.
  void Return(InFlight frame, Nanos now);
  /// Nobody took what was sent: everything is sent again once `wait` has passed, if not earlier.
  void Hasten(Nanos now, Nanos wait);
  /// When the earliest frame runs out of patience; nothing when the window is empty.
  std::optional<Nanos> Deadline() const;

  /// Takes a frame out; nothing when it is not under way (a second answer).
  std::optional<InFlight> Remove(uint64_t run, uint64_t sequence);

  /// Takes out a frame that was begun before `then`; nothing when there is none. Of frames of
  /// earlier runs nobody knows when they were.
  std::optional<InFlight> RemoveOlder(Nanos then);

  /// Frames that fulfil a condition.
  template <typename Condition>
  size_t Count(Condition condition) const {
    return static_cast<size_t>(std::ranges::count_if(frames_, condition));
  }

 private:
  size_t size_;
  Nanos patience_, most_patience_;
  std::deque<InFlight> frames_;  // as they came
};

}  // namespace fogline
