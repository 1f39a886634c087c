// Getting frames stored: the send window on a link, with repeats until the cloud says that a frame
// is safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "edge/window.h"
#include "frame/ack.h"
#include "frame/frame.h"
#include "link/backoff.h"
#include "link/link.h"

namespace fogline {

struct SenderOptions {
  LinkOptions link;  // the client id is filled in
  std::string device;
  size_t window = 8;
  /// Before a frame is sent again: long enough for a slow network, doubled with each repeat.
  Nanos patience = std::chrono::seconds(5);
  Nanos most_patience = std::chrono::minutes(1);
};

/// What happened to one frame, told on the link's thread while the sender is locked: do little.
struct Delivery {
  uint64_t sequence = 0;
  AckStatus status = AckStatus::kStored;
  StageTimes stages;    // both sides'; network only when the frame was sent once
  double total_ms = 0;  // from the start of work on the picture to the answer
  size_t bytes = 0;     // of the whole frame
};

/// Owned by one thread, which calls Send and Drain.
class Sender final : private LinkHandler {
 public:
  static Result<std::unique_ptr<Sender>> Start(const SenderOptions& options,
                                               std::function<void(const Delivery&)> delivered);
  ~Sender() override;

  uint64_t run() const { return run_; }

  /// Waits for a place in the window, then sends. Fills in the frame's device, run, sequence,
  /// window time and what is settled of earlier frames. `started` is when work on the picture
  /// began. kCancelled when a stop is asked for while waiting.
  Status Send(Frame& frame, Nanos started, bool json);

  /// Waits until everything is answered, at most `patience`, and tells the store the last network
  /// times; the number of frames still unanswered.
  size_t Drain(Nanos patience);

 private:
  Sender(const SenderOptions& options, std::function<void(const Delivery&)> delivered);
  void OnConnected() override;
  void OnDisconnected() override;
  void OnMessage(const Message& message) override;
  void OnNobodyListens() override;

  void RepeatLoop();
  void SendDue();
  void TellSettled();

  SenderOptions options_;
  std::function<void(const Delivery&)> delivered_;
  uint64_t run_;
  uint64_t next_sequence_ = 0;
  std::string frame_topic_, ack_topic_, hello_topic_;
  std::mutex mutex_;
  std::condition_variable changed_;
  SendWindow window_;                                // under mutex_
  std::vector<std::vector<std::byte>> spare_;        // under mutex_: buffers of finished frames
  std::vector<Settled> settled_;                     // under mutex_: not yet told
  std::optional<uint64_t> closing_;                  // under mutex_: the frame that tells the last
  Backoff unheard_;                                  // link thread only
  bool nobody_listens_ = false, said_twin_ = false;  // link thread only
  bool stopping_ = false;                            // under mutex_
  std::string last_refusal_;                         // link thread only
  std::unique_ptr<Link> link_;
  std::thread repeater_;
};

}  // namespace fogline
