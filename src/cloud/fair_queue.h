// Frames that wait for a worker, by device: whose turn it is, and what is taken in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fogline {

/// How much may wait, and how much of it may be one device's.
struct FairLimits {
  size_t frames = 256;
  size_t bytes = size_t{64} << 20;  // one frame fits however large it is
  /// Of the workers' time, microseconds: what one device may have waiting, and of how much nobody
  /// need be ashamed where everything is full.
  double device_us = 500'000, little_us = 50'000;
  size_t device_frames = 16;  // of one device always wait, however long they take
};

/// Deficit round robin over devices (Shreedhar and Varghese 1996): in a round each may take a
/// quantum of the workers' time, and what a frame took beyond it is paid in the next ones. A device
/// that had nothing waiting has its first turn before those that had (as in FQ-CoDel, RFC 8290,
/// 4.2), so that who sends now and then waits for one frame, not for everybody's. Whoever has less
/// waiting finds room: what is too much is taken back from the device that has most. A state
/// machine without lock, clock or thread. T is what waits.
template <typename T>
class FairQueue {
 public:
  static constexpr double kQuantumUs = 1000;
  /// What one frame may cost its device at most: a worker that was held up for minutes is no reason
  /// to leave a device out for as long.
  static constexpr double kMostUs = 10'000'000;

  explicit FairQueue(const FairLimits& limits) : limits_(limits) {}

  enum class Entry {
    kTaken,
    kNotNow,  // this device has enough waiting
    kHold,    // everything is full, and nobody has too much: offer it again when one was taken
  };
  struct Offered {
    Entry entry = Entry::kTaken;
    std::vector<T> put_off;  // taken earlier from devices that have more; not now either
  };
  /// `item`, which `device` may be part of, is moved from if it is taken. `us` is what it is
  /// expected to take of a worker's time.
  Offered Offer(const std::string& device, T& item, size_t bytes, double us) {
    us = std::clamp(us, 1.0, kMostUs);
    Offered offered;
    const auto found = lines_.find(device);
    const double waiting_us = found == lines_.end() ? 0 : found->second.us;
    const size_t waiting = found == lines_.end() ? 0 : found->second.items.size();
    const bool long_enough =
        waiting >= limits_.device_frames && waiting_us + us > limits_.device_us;
    if (long_enough) {
      offered.entry = Entry::kNotNow;
      return offered;
    }
    while (Full(bytes)) {
      Line* const most = Heaviest();
      if (most == nullptr || most->us <= std::max(limits_.little_us, waiting_us + us)) {
        const bool much = waiting > 0 && waiting_us + us > limits_.little_us;
        offered.entry = much ? Entry::kNotNow : Entry::kHold;
        return offered;
      }
      Item last = std::move(most->items.back());
      most->items.pop_back();
      Left(*most, last);
      offered.put_off.push_back(std::move(last.value));
    }
    if (lines_.size() > 2 * limits_.frames) ForgetIdle();
    const auto [place, is_new] = lines_.try_emplace(device);
    Line& line = place->second;
    if (is_new) fresh_.push_back(&*place);
    // An item is offered again only where it was not taken.
    line.items.push_back({std::move(item), bytes, us});  // NOLINT(clang-analyzer-cplusplus.Move)
    line.us += us;
    ++count_;
    bytes_ += bytes;
    return offered;
  }

  struct Taken {
    std::string device;
    T value;
    double us = 0;  // that it is expected to take
  };
  /// The next frame for a worker; nothing exactly where none waits.
  std::optional<Taken> Take() {
    for (;;) {
      const bool fresh = !fresh_.empty();
      auto& turns = fresh ? fresh_ : rest_;
      if (turns.empty()) return std::nullopt;
      auto* const entry = turns.front();
      Line& line = entry->second;
      if (line.credit_us <= 0) {
        line.credit_us += kQuantumUs;
        turns.pop_front();
        rest_.push_back(entry);
      } else if (line.items.empty()) {
        turns.pop_front();
        if (fresh) {
          rest_.push_back(entry);
        } else {
          lines_.erase(entry->first);
        }
      } else {
        Item item = std::move(line.items.front());
        line.items.pop_front();
        Left(line, item);
        line.credit_us -= item.us;
        return Taken{entry->first, std::move(item.value), item.us};
      }
    }
  }

  /// What a frame took in the end: its device pays the difference.
  void Worked(const std::string& device, double expected_us, double took_us) {
    const auto found = lines_.find(device);
    if (found == lines_.end()) return;
    found->second.credit_us += expected_us - std::clamp(took_us, 1.0, kMostUs);
  }

  size_t count() const { return count_; }
  size_t bytes() const { return bytes_; }
  /// Devices that are remembered.
  size_t devices() const { return lines_.size(); }

 private:
  struct Item {
    T value;
    size_t bytes = 0;
    double us = 0;
  };
  struct Line {
    std::deque<Item> items;  // in the order in which they came
    double us = 0;           // of them
    double credit_us = kQuantumUs;
  };
  using Lines = std::unordered_map<std::string, Line>;

  bool Full(size_t bytes) const {
    return count_ > 0 && (count_ >= limits_.frames || bytes_ + bytes > limits_.bytes);
  }
  /// An item of the line has gone.
  void Left(Line& line, const Item& item) {
    line.us = line.items.empty() ? 0 : line.us - item.us;
    bytes_ -= item.bytes;
    --count_;
  }
  Line* Heaviest() {
    Line* most = nullptr;
    for (auto& [device, line] : lines_) {
      if (line.items.size() > 1 && (most == nullptr || line.us > most->us)) most = &line;
    }
    return most;
  }
  /// Many names, of which few have something waiting.
  void ForgetIdle() {
    const auto idle = [](const auto* entry) { return entry->second.items.empty(); };
    std::erase_if(fresh_, idle);
    std::erase_if(rest_, idle);
    std::erase_if(lines_, [](const auto& entry) { return entry.second.items.empty(); });
  }

  const FairLimits limits_;
  Lines lines_;
  std::deque<typename Lines::value_type*> fresh_, rest_;  // every line is in one of them
  size_t count_ = 0, bytes_ = 0;
};

}  // namespace fogline
