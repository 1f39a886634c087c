// Frames that will never be stored as they are, kept for a person to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace fogline {

/// Why a frame is here, beside its bytes.
struct DeadLetter {
  std::string device;
  uint64_t run = 0, sequence = 0;
  std::string refused_by;  // "cloud", "broker"
  std::string reason;      // in its words
};

struct DeadLetterCounts {
  uint64_t letters = 0, bytes = 0;  // in the folder now
  uint64_t buried = 0;              // in this run
  uint64_t dropped = 0;             // in this run: the oldest, for want of room
};

/// A folder with two files a frame, numbered as they came: N.frame, its bytes as they were sent,
/// and N.json, the reason. Bounded: the oldest make room for newer ones. docs/reliability.md
/// describes it. Not thread-safe.
class DeadLetters {
 public:
  static constexpr uint64_t kDefaultLimit = uint64_t{64} << 20;

  /// Goes on behind what earlier runs left. The folder is made when the first letter comes.
  static Result<std::unique_ptr<DeadLetters>> Open(const std::filesystem::path& folder,
                                                   uint64_t limit_bytes);

  /// Returns once the disk keeps the frame. Where that fails, nothing is left behind.
  Status Bury(const DeadLetter& letter, std::span<const std::byte> frame);

  const DeadLetterCounts& counts() const { return counts_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  DeadLetters(std::filesystem::path folder, uint64_t limit_bytes)
      : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}
  Status Recover();
  void DropOldest();
  std::filesystem::path PathOf(uint64_t id, const char* extension) const;

  const std::filesystem::path folder_;
  const uint64_t limit_bytes_;
  std::map<uint64_t, uint64_t> sizes_;  // of both files, by number
  uint64_t next_ = 1;
  DeadLetterCounts counts_;
};

}  // namespace fogline
