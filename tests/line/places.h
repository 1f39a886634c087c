// The places of a program that ask for memory, as a file that the library which lets them fail
// (failing_memory.cc) and the test that has it do so both map: what one run has tried, the next one
// leaves alone.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fogline {

/// An open hash table without a lock. A place is a number other than 0 and 1, and a slot is its
/// place with the lowest bit as "tried".
class Places {
 public:
  /// The file's, of zeros at first; null where it cannot be mapped.
  static Places* Map(const char* path) {
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return nullptr;
    void* at = MAP_FAILED;
    if (ftruncate(file, sizeof(Places)) == 0) {
      at = mmap(nullptr, sizeof(Places), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    return at == MAP_FAILED ? nullptr : static_cast<Places*>(at);
  }

  /// The place's own slot, new or not; null where there are too many.
  std::atomic<uint64_t>* Find(uint64_t place) {
    place = place < 2 ? 2 : place & ~kTried;
    for (size_t i = 0; i < slots_.size(); ++i) {
      auto& slot = slots_[(place / 2 + i) % slots_.size()];
      uint64_t there = slot.load();
      if (there == 0 && slot.compare_exchange_strong(there, place)) return &slot;
      if ((there & ~kTried) == place) return &slot;
    }
    return nullptr;
  }
  /// True for one call in all processes.
  static bool Try(std::atomic<uint64_t>& slot) { return (slot.fetch_or(kTried) & kTried) == 0; }
  static bool tried(const std::atomic<uint64_t>& slot) { return (slot & kTried) != 0; }

  struct Counts {
    size_t all = 0, tried = 0;
  };
  Counts Count() const {
    Counts counts;
    for (const auto& slot : slots_) {
      if (slot == 0) continue;
      ++counts.all;
      if (tried(slot)) ++counts.tried;
    }
    return counts;
  }

 private:
  static constexpr uint64_t kTried = 1;
  std::array<std::atomic<uint64_t>, 1 << 17> slots_;
};

}  // namespace fogline
