// Preloaded, writes down what this process does to the files below a folder, in the order in which
// it does it, so that power_cut.h can tell what a disk would have kept had the power failed at any
// moment. A sync is only written down: it is the record that keeps.
//   DISK_ROOT=/tmp/store   the folder, which is there
//   DISK_LOG=/tmp/log      the record, see power_cut.h; appended to
// What it sends on sockets is written down too, so that it is known what was promised before.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "tests/line/disk_record.h"
#include "tests/line/preload.h"

namespace {

using fogline::DiskRecord;

using fogline::preload::ModeOf;
using fogline::preload::Next;

std::recursive_mutex mutex;  // what is done and its record are one

// NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here writes to the environment
const char* Root() {
  static const char* const root = std::getenv("DISK_ROOT");  // NOLINT(concurrency-mt-unsafe)
  return root;
}

/// A path, or a descriptor.
template <typename File>
bool Below(File file) {
  return fogline::preload::Below(file, Root());
}

uint64_t FileOf(int fd) {
  struct stat info {};
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

void Write(DiskRecord record, const char* path, const void* bytes) {
  using Real = ssize_t (*)(int, const iovec*, int);
  static const auto real = Next<Real>("writev");
  static const int log =
      Next<int (*)(const char*, int, ...)>("open")(std::getenv("DISK_LOG"),  // NOLINT
                                                   O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  record.path_bytes = path == nullptr ? 0 : static_cast<uint32_t>(std::strlen(path));
  const iovec parts[] = {{&record, sizeof(record)},
                         {const_cast<char*>(path), record.path_bytes},
                         {const_cast<void*>(bytes), record.bytes}};
  if (real(log, parts, 3) < 0) _exit(125);
}

using Guard = std::lock_guard<std::recursive_mutex>;

/// `open`, with what it does to the file and its name.
template <typename Open>
int Opened(const char* path, int flags, Open open) {
  if (!Below(path)) return open();
  const Guard guard(mutex);
  struct stat info {};
  const bool there = stat(path, &info) == 0;
  const int fd = open();
  if (fd < 0) return fd;
  if (!there) Write({.kind = DiskRecord::kCreate, .file = FileOf(fd)}, path, nullptr);
  if (there && (flags & O_TRUNC) != 0) {
    Write({.kind = DiskRecord::kResize, .file = FileOf(fd)}, nullptr, nullptr);
  }
  return fd;
}

/// A write at the file's own place (`at` < 0) or at a given one.
template <typename Call>
ssize_t Written(int fd, const void* from, off_t at, Call call) {
  if (!Below(fd)) return call();
  const Guard guard(mutex);
  struct stat info {};
  if (at < 0 && (fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &info) == 0) at = info.st_size;
  if (at < 0) at = lseek(fd, 0, SEEK_CUR);
  const ssize_t n = call();
  if (n > 0) {
    Write({.kind = DiskRecord::kWrite,
           .file = FileOf(fd),
           .at = static_cast<uint64_t>(at),
           .bytes = static_cast<uint64_t>(n)},
          nullptr, from);
  }
  return n;
}

int Resized(int fd, off_t size, int (*real)(int, off_t)) {
  if (!Below(fd)) return real(fd, size);
  const Guard guard(mutex);
  const int result = real(fd, size);
  if (result == 0) {
    Write({.kind = DiskRecord::kResize, .file = FileOf(fd), .at = static_cast<uint64_t>(size)},
          nullptr, nullptr);
  }
  return result;
}

int Removed(const char* path, int (*real)(const char*)) {
  if (!Below(path)) return real(path);
  const Guard guard(mutex);
  const int result = real(path);
  if (result == 0) Write({.kind = DiskRecord::kRemove}, path, nullptr);
  return result;
}

}  // namespace

extern "C" {

#define FOGLINE_OPEN(name)                                                \
  int name(const char* path, int flags, ...) {                            \
    static const auto real = Next<int (*)(const char*, int, ...)>(#name); \
    va_list more;                                                         \
    va_start(more, flags);                                                \
    const mode_t mode = ModeOf(flags, more);                              \
    va_end(more);                                                         \
    return Opened(path, flags, [&] { return real(path, flags, mode); });  \
  }
FOGLINE_OPEN(open)
FOGLINE_OPEN(open64)

#define FOGLINE_PWRITE(name)                                                            \
  ssize_t name(int fd, const void* from, size_t size, off_t at) {                       \
    static const auto real = Next<ssize_t (*)(int, const void*, size_t, off_t)>(#name); \
    return Written(fd, from, at, [&] { return real(fd, from, size, at); });             \
  }
FOGLINE_PWRITE(pwrite)
FOGLINE_PWRITE(pwrite64)

ssize_t write(int fd, const void* from, size_t size) {
  static const auto real = Next<ssize_t (*)(int, const void*, size_t)>("write");
  return Written(fd, from, -1, [&] { return real(fd, from, size); });
}

int ftruncate(int fd, off_t size) noexcept {
  return Resized(fd, size, Next<int (*)(int, off_t)>("ftruncate"));
}
int ftruncate64(int fd, off_t size) noexcept {
  return Resized(fd, size, Next<int (*)(int, off_t)>("ftruncate64"));
}

#define FOGLINE_SYNC(name)                                                    \
  int name(int fd) {                                                          \
    if (!Below(fd)) return Next<int (*)(int)>(#name)(fd);                     \
    const Guard guard(mutex);                                                 \
    Write({.kind = DiskRecord::kSync, .file = FileOf(fd)}, nullptr, nullptr); \
    return 0;                                                                 \
  }
FOGLINE_SYNC(fsync)
FOGLINE_SYNC(fdatasync)

int unlink(const char* path) noexcept {
  return Removed(path, Next<int (*)(const char*)>("unlink"));
}
int remove(const char* path) noexcept {
  return Removed(path, Next<int (*)(const char*)>("remove"));
}

int rename(const char* from, const char* to) noexcept {
  const auto real = Next<int (*)(const char*, const char*)>("rename");
  if (!Below(to)) return real(from, to);
  const Guard guard(mutex);
  const int result = real(from, to);
  if (result == 0) Write({.kind = DiskRecord::kRename, .bytes = std::strlen(to)}, from, to);
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  const auto real = Next<int (*)(const char*, mode_t)>("mkdir");
  if (!Below(path)) return real(path, mode);
  const Guard guard(mutex);
  const int result = real(path, mode);
  struct stat info {};
  if (result == 0 && stat(path, &info) == 0) {
    Write({.kind = DiskRecord::kFolder, .file = info.st_ino}, path, nullptr);
  }
  return result;
}

ssize_t send(int fd, const void* from, size_t size, int flags) {
  static const auto real = Next<ssize_t (*)(int, const void*, size_t, int)>("send");
  if (Root() == nullptr) return real(fd, from, size, flags);
  const Guard guard(mutex);
  const ssize_t n = real(fd, from, size, flags);
  if (n > 0) {
    Write({.kind = DiskRecord::kSent,
           .file = static_cast<uint64_t>(fd),
           .bytes = static_cast<uint64_t>(n)},
          nullptr, from);
  }
  return n;
}

}  // extern "C"
