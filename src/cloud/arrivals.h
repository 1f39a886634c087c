// What came from the broker, between the link's thread and the workers'.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloud/device_windows.h"
#include "cloud/fair_queue.h"
#include "codec/route.h"

namespace fogline {

/// A frame as it came, and when.
struct Arrived {
  std::vector<std::byte> bytes;
  std::string device;
  std::string answer_to;  // response topic, checked to be the device's own
  HalvesKey halves;       // as its header says
  Nanos at{0};
  std::optional<DeviceWindows::Place> place;  // until it is answered
};

/// A FairQueue that threads wait at. Thread-safe.
class Arrivals {
 public:
  using Queue = FairQueue<Arrived>;

  explicit Arrivals(const FairLimits& limits) : queue_(limits) {}

  /// Waits while everything is full, which holds back the broker. What is to be answered "not now":
  /// frames that made room for this one, or this one; once it is closed, every one.
  std::vector<Arrived> Push(Arrived frame, double us) {
    std::unique_lock lock(mutex_);
    std::vector<Arrived> put_off;
    for (;;) {
      if (closed_) {
        put_off.push_back(std::move(frame));
        break;
      }
      Queue::Offered offered = queue_.Offer(frame.device, frame, frame.bytes.size(), us);
      for (Arrived& other : offered.put_off) put_off.push_back(std::move(other));
      if (offered.entry == Queue::Entry::kHold) {
        room_.wait(lock);
        continue;
      }
      if (offered.entry == Queue::Entry::kNotNow) put_off.push_back(std::move(frame));
      break;
    }
    lock.unlock();
    filled_.notify_one();
    return put_off;
  }

  /// Waits for a frame; nothing when it is closed and empty.
  std::optional<Queue::Taken> Pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || queue_.count() > 0; });
    auto taken = queue_.Take();
    lock.unlock();
    room_.notify_one();
    return taken;
  }

  void Worked(const std::string& device, double expected_us, double took_us) {
    const std::lock_guard lock(mutex_);
    queue_.Worked(device, expected_us, took_us);
  }

  /// No more frames; those inside are still handed out.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
    room_.notify_all();
  }

  size_t count() const {
    const std::lock_guard lock(mutex_);
    return queue_.count();
  }
  size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return queue_.bytes();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  Queue queue_;
  bool closed_ = false;
};

}  // namespace fogline
