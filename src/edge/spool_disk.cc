#include "edge/spool_disk.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace fogline {

int SpoolDisk::Open(const std::filesystem::path& path, int flags) {
  return open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

ssize_t SpoolDisk::ReadAt(int fd, std::span<std::byte> out, off_t offset) {
  return pread(fd, out.data(), out.size(), offset);
}

ssize_t SpoolDisk::WriteAt(int fd, std::span<const std::byte> data, off_t offset) {
  return pwrite(fd, data.data(), data.size(), offset);
}

uint64_t SpoolDisk::Free(const std::filesystem::path& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return 0;
  return uint64_t{disk.f_bavail} * disk.f_frsize;
}

SpoolDisk& SpoolDisk::Real() {
  static SpoolDisk disk;
  return disk;
}

}  // namespace fogline
