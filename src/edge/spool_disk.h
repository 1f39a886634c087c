// The file system as a spool sees it: the seam where tests make a disk fail.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace fogline {

/// Plain system calls: −1 and errno where they fail. Thread-safe.
class SpoolDisk {
 public:
  virtual ~SpoolDisk() = default;
  virtual int Open(const std::filesystem::path& path, int flags);
  virtual ssize_t ReadAt(int fd, std::span<std::byte> out, off_t offset);
  virtual ssize_t WriteAt(int fd, std::span<const std::byte> data, off_t offset);
  /// Bytes that could still be written below a folder; 0 where nobody knows.
  virtual uint64_t Free(const std::filesystem::path& folder);

  static SpoolDisk& Real();
};

}  // namespace fogline
