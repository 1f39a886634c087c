// Getting frames stored: an outbox (edge/outbox.h) between a link, a disk and a clock.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/result.h"
#include "edge/dead_letters.h"
#include "edge/delivery.h"
#include "edge/outbox.h"
#include "edge/spool.h"
#include "frame/frame.h"
#include "link/link.h"

namespace fogline {

struct SenderOptions {
  LinkOptions link;  // its name is filled in
  std::string device;
  size_t window = 8;
  /// Before a frame is sent again: long enough for a slow network, doubled with each repeat.
  Nanos patience = std::chrono::seconds(5);
  Nanos most_patience = std::chrono::minutes(1);
  SpoolOptions spool;  // without a folder, frames wait in memory, and the camera with them
  /// Of the refused frames that lie in dead/ of the spool's folder.
  uint64_t dead_limit_bytes = DeadLetters::kDefaultLimit;
  Nanos deadline{0};  // a frame that is not stored so long after its making is given up; 0: never
  bool asks_for_findings = false;  // the cloud is to say what it found in each picture
  // Seams for tests.
  std::function<Result<std::unique_ptr<Link>>(const LinkOptions&, LinkHandler&)> make_link =
      Link::Make;
  const Clock* clock = &Clock::Real();
};

/// What the sender did with frames beyond delivering them.
struct SenderCounts {
  uint64_t dropped = 0;       // for want of room on disk, older and newer ones
  uint64_t unspooled = 0;     // sent from memory, since the disk took no more
  uint64_t stale = 0;         // given up past the deadline
  uint64_t recovered = 0;     // of earlier runs
  uint64_t dead = 0;          // refused frames in the dead-letter folder now
  uint64_t dead_dropped = 0;  // and those that it had no room for
  uint64_t waiting = 0;       // set aside, since the cloud cannot take them yet
  uint64_t kept = 0;          // on disk now, for the next run
  uint64_t kept_bytes = 0;
  uint64_t window = 0;        // under way now
  uint64_t unsent_bytes = 0;  // of them, that the broker has not taken
  bool connected = false;
};

/// Owned by one thread, which calls Send, WaitForRoom and Drain; the rest is thread-safe. What is
/// to be done is decided by the outbox, under a lock; nothing is published under it.
class Sender final : private LinkHandler {
 public:
  static Result<std::unique_ptr<Sender>> Start(const SenderOptions& options, OnDelivery delivered);
  ~Sender() override;

  uint64_t run() const { return run_; }

  /// Waits for the broker, at most `patience`. kUsage when it is there and takes no frame of
  /// `least_bytes`: then none of this run would pass.
  Status CheckLimit(size_t least_bytes, Nanos patience);

  /// Waits for a place in the window (with a spool: for room on the disk), then sends. Fills in the
  /// frame's device, run, sequence, window time, what is settled of earlier frames and
  /// now and then how many wait, are dead letters or were dropped. `started` is
  /// when work on the picture began; `ticket` comes back with the delivery. kCancelled when a stop
  /// is asked for while waiting.
  Status Send(Frame& frame, Nanos started, bool json, uint64_t ticket = 0);

  /// Waits for a place in the window; false when a stop is asked for. What is begun afterwards is
  /// as fresh as can be when it is sent.
  bool WaitForRoom();

  /// How long frames have waited without a word from the cloud; 0 when none waits.
  Nanos Silence() const;

  /// Waits until everything is answered, at most `patience`, and tells the store the last network
  /// times; the number of frames still unanswered that no disk keeps.
  size_t Drain(Nanos patience);

  SenderCounts counts() const;

 private:
  Sender(const SenderOptions& options, uint64_t run, OnDelivery delivered);
  void OnConnected() override;
  void OnDisconnected() override;
  void OnMessage(const Message& message) override;
  void OnNobodyListens() override;
  void OnHello(const Message& message);

  void Tell(const Outbox::Event& event);
  Outbox::Action Run(std::unique_lock<std::mutex>& lock, const Outbox::Event& event);
  Outbox::Event Publish(std::unique_lock<std::mutex>& lock, const Outbox::Action& action);
  Outbox::Event Do(const Outbox::Action& action);
  bool Wait(std::unique_lock<std::mutex>& lock);
  void RepeatLoop(const std::stop_token& stop);
  Nanos Now() const { return options_.clock->Steady(); }

  SenderOptions options_;
  OnDelivery delivered_;
  const uint64_t run_;
  const std::string frame_topic_, ack_topic_, hello_topic_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Outbox outbox_;                      // under mutex_
  std::unique_ptr<Spool> spool_;       // null: frames are in memory alone
  std::unique_ptr<DeadLetters> dead_;  // under mutex_; with a spool
  SpoolFrame read_;                    // under mutex_: the last frame from the disk
  std::optional<Nanos> counted_;       // the owner's: when the cloud was last told of the counts
  Error failed_;                       // under mutex_: of what was last done
  bool said_twin_ = false;             // link thread only
  std::unique_ptr<Link> link_;
  std::jthread repeater_;
};

}  // namespace fogline
