// Several threads on one line of things.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace fogline {

/// Lets threads take things one after the other, work on them side by side, and hand them on in the
/// order in which they were taken. Each thread has one thing at a time, so that no more are under
/// way than there are threads, and who cannot hand on holds back who takes. Thread-safe.
class Turns {
 public:
  /// Calls `take` while no other thread is in it. The place of what it took, for Leave; nothing
  /// when it says, by false, that it took nothing.
  template <typename Take>
  std::optional<uint64_t> Enter(Take&& take) {
    const std::lock_guard taking(taking_);
    if (!take()) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return entered_++;
  }

  /// Waits for all that entered before `place`, and calls `hand_on` while no other thread is in it.
  /// Whatever entered must leave, once.
  template <typename HandOn>
  void Leave(uint64_t place, HandOn&& hand_on) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return left_ == place; });
    lock.unlock();
    hand_on();
    lock.lock();
    ++left_;
    lock.unlock();
    changed_.notify_all();
  }

  /// What entered and has not left.
  uint64_t under_way() const {
    const std::lock_guard lock(mutex_);
    return entered_ - left_;
  }

 private:
  std::mutex taking_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t entered_ = 0, left_ = 0;  // under mutex_
};

}  // namespace fogline
