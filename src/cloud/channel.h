// A bounded queue between threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace fogline {

/// Many writers, many readers, first in first out. A full channel makes its writers wait:
/// back-pressure instead of memory. Full is a number of items, or of what they weigh together
/// (bytes, say); one item fits however heavy it is.
template <typename T>
class Channel {
 public:
  explicit Channel(size_t capacity, size_t most_weight = SIZE_MAX)
      : capacity_(capacity), most_weight_(most_weight) {}

  /// Waits for room. False when the channel is closed: the item is dropped.
  bool Push(T item, size_t weight = 0) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] {
      return closed_ || items_.empty() ||
             (items_.size() < capacity_ && weight_ + weight <= most_weight_);
    });
    if (closed_) return false;
    items_.push_back({std::move(item), weight});
    weight_ += weight;
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  /// Waits for an item; nothing when the channel is closed and empty.
  std::optional<T> Pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = TakeFirst();
    lock.unlock();
    room_.notify_one();
    return item;
  }

  /// No more items; those inside are still handed out.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
    room_.notify_all();
  }

  size_t count() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  struct Item {
    T value;
    size_t weight;
  };
  /// The mutex is held.
  T TakeFirst() {
    T value = std::move(items_.front().value);
    weight_ -= items_.front().weight;
    items_.pop_front();
    return value;
  }

  const size_t capacity_, most_weight_;
  mutable std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<Item> items_;
  size_t weight_ = 0;
  bool closed_ = false;
};

}  // namespace fogline
