// What a connection remembers of a store's dictionary.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace fogline {

/// Texts and their numbers, both ways. Device names and labels come from the network: many are
/// remembered, not any number, nor any length; who asks whether it is full forgets them all, and a
/// fleet larger than this (some 100,000 names) is looked up again each time round. Not thread-safe,
/// but for bytes().
class WordMemory {
 public:
  /// Bytes, about.
  static constexpr size_t kMost = size_t{32} << 20;

  /// 0: not remembered.
  int64_t NumberOf(const std::string& text) const {
    const auto known = numbers_.find(text);
    return known == numbers_.end() ? 0 : known->second;
  }
  /// Null: not remembered. Valid until the next Remember or Forget.
  const std::string* TextOf(int64_t number) const {
    const auto known = texts_.find(number);
    return known == texts_.end() ? nullptr : &known->second;
  }
  void Remember(int64_t number, const std::string& text) {
    constexpr size_t kNode = 80;  // what an entry of either map takes beside its text
    bytes_ += 2 * (kNode + text.size());
    numbers_[text] = number;
    texts_[number] = text;
  }
  bool full() const { return bytes_ > kMost; }
  size_t bytes() const { return bytes_; }
  void Forget() {
    numbers_.clear();
    texts_.clear();
    bytes_ = 0;
  }

 private:
  std::unordered_map<std::string, int64_t> numbers_;
  std::unordered_map<int64_t, std::string> texts_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace fogline
