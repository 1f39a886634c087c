// A spool's disk for tests: in memory, frame by frame, and it fails when it is told to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "edge/spool_record.h"

namespace fogline {

using TestName = std::pair<uint64_t, uint64_t>;  // of a frame: run, sequence

/// What it promises is what edge/spool.h does, but for files: it keeps and drops frames one by one.
class TestDisk {
 public:
  enum State { kWaiting, kUnderWay, kAside };
  struct Item {
    SpoolFrame frame;
    State state;
    bool refused = false;  // and not buried: it stays for the next run
  };

  size_t room = 10;       // frames
  size_t largest = 3000;  // bytes of a frame
  bool oldest_go = false, full = false, unreadable = false;
  std::set<TestName> dropped;

  Status Append(const SpoolFrame& record, std::span<const std::byte> bytes, bool under_way,
                SpoolPlace& place) {
    if (bytes.size() > largest) return Fail(ErrorCode::kUnsupported, "disk", "too large");
    while (items_.size() >= room && oldest_go && DropOldest()) {
    }
    if (full || items_.size() >= room) return Fail(ErrorCode::kExhausted, "disk", "full");
    place = {1, next_++};
    Item item{record, under_way ? kUnderWay : kWaiting};
    item.frame.bytes.assign(bytes.begin(), bytes.end());
    item.frame.place = place;
    items_[place.offset] = std::move(item);
    return {};
  }
  bool Take(SpoolFrame& out) {
    const auto first = std::ranges::find(items_, kWaiting, StateOf);
    if (unreadable || first == items_.end()) return false;
    first->second.state = kUnderWay;
    out = first->second.frame;
    return true;
  }
  Status TakeBack(SpoolPlace place, SpoolFrame& out) {
    Item* const item = Find(place);
    if (item == nullptr || item->state != kAside) return Fail(ErrorCode::kNotFound, "disk", "gone");
    if (unreadable) return Fail(ErrorCode::kUnavailable, "disk", "unreadable");
    item->state = kUnderWay;
    out = item->frame;
    return {};
  }
  bool SetAside(SpoolPlace place) {
    Item* const item = Find(place);
    if (item == nullptr) return false;
    item->state = kAside;
    return true;
  }
  Item* Find(SpoolPlace place) {
    const auto item = items_.find(place.segment == 1 ? place.offset : UINT32_MAX);
    return item == items_.end() ? nullptr : &item->second;
  }
  void Forget(SpoolPlace place) { items_.erase(place.offset); }
  size_t Count(State state) const {
    return static_cast<size_t>(std::ranges::count_if(
        items_, [&](const auto& i) { return i.second.state == state && !i.second.refused; }));
  }
  size_t size() const { return items_.size(); }
  size_t refused() const {
    return static_cast<size_t>(
        std::ranges::count_if(items_, [](const auto& i) { return i.second.refused; }));
  }
  bool Holds(const TestName& name) const {
    return std::ranges::any_of(items_, [&](const auto& i) {
      return TestName(i.second.frame.run, i.second.frame.sequence) == name;
    });
  }
  /// A new process: everything waits again, and some marks of what was done are lost.
  void Restart(const std::vector<Item>& unmarked) {
    for (const Item& item : unmarked) items_[item.frame.place.offset] = item;
    for (auto& [offset, item] : items_) {
      item.state = kWaiting;
      item.refused = false;
    }
  }

 private:
  static State StateOf(const std::pair<const uint32_t, Item>& item) { return item.second.state; }
  bool DropOldest() {
    auto oldest = std::ranges::find_if(
        items_, [](const auto& i) { return i.second.state != kUnderWay && !i.second.refused; });
    if (oldest == items_.end()) oldest = items_.begin();
    if (oldest == items_.end()) return false;
    const Item& item = oldest->second;
    if (item.state != kUnderWay) dropped.insert({item.frame.run, item.frame.sequence});
    items_.erase(oldest);
    return true;
  }

  std::map<uint32_t, Item> items_;
  uint32_t next_ = 0;
};

}  // namespace fogline
