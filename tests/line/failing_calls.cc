// Preloaded, makes one call of this process fail: the n-th of a kind on files below a folder.
//   FAIL_CALL=open:3           open, read, write, sync or rename, and which of them
//   FAIL_BELOW=/tmp/store      the folder
//   FAIL_MARK=/tmp/failed      a file that is made when it has failed
// A file that cannot be opened is one too many (EMFILE), all else is a bad disk (EIO).
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/line/preload.h"

// NOLINTBEGIN(concurrency-mt-unsafe): nothing here writes to the environment
namespace {

using fogline::preload::ModeOf;
using fogline::preload::Next;

/// A path, or a descriptor.
template <typename File>
bool Below(File file) {
  static const char* const folder = std::getenv("FAIL_BELOW");
  return fogline::preload::Below(file, folder);
}

/// True once, at the call that was asked for.
template <typename File>
bool Fails(const char* kind, File file, int error) {
  static const char* const asked = std::getenv("FAIL_CALL");
  static std::atomic<long> seen{0};
  const size_t size = std::strlen(kind);
  if (asked == nullptr || std::strncmp(asked, kind, size) != 0 || asked[size] != ':') return false;
  if (!Below(file) || ++seen != std::atol(asked + size + 1)) return false;
  const char* const mark = std::getenv("FAIL_MARK");
  if (mark != nullptr) close(static_cast<int>(syscall(SYS_creat, mark, 0600)));
  errno = error;
  return true;
}

}  // namespace
// NOLINTEND(concurrency-mt-unsafe)

extern "C" {

#define FOGLINE_OPEN(name)                                                \
  int name(const char* path, int flags, ...) {                            \
    static const auto real = Next<int (*)(const char*, int, ...)>(#name); \
    va_list more;                                                         \
    va_start(more, flags);                                                \
    const mode_t mode = ModeOf(flags, more);                              \
    va_end(more);                                                         \
    return Fails("open", path, EMFILE) ? -1 : real(path, flags, mode);    \
  }
FOGLINE_OPEN(open)
FOGLINE_OPEN(open64)

#define FOGLINE_OPENAT(name)                                                   \
  int name(int folder, const char* path, int flags, ...) {                     \
    static const auto real = Next<int (*)(int, const char*, int, ...)>(#name); \
    va_list more;                                                              \
    va_start(more, flags);                                                     \
    const mode_t mode = ModeOf(flags, more);                                   \
    va_end(more);                                                              \
    return Fails("open", path, EMFILE) ? -1 : real(folder, path, flags, mode); \
  }
FOGLINE_OPENAT(openat)
FOGLINE_OPENAT(openat64)

#define FOGLINE_TRANSFER(kind, name, parameters, ...)            \
  ssize_t name parameters {                                      \
    static const auto real = Next<ssize_t(*) parameters>(#name); \
    return Fails(kind, fd, EIO) ? -1 : real(__VA_ARGS__);        \
  }
FOGLINE_TRANSFER("read", read, (int fd, void* into, size_t size), fd, into, size)
FOGLINE_TRANSFER("read", pread, (int fd, void* into, size_t size, off_t at), fd, into, size, at)
FOGLINE_TRANSFER("read", pread64, (int fd, void* into, size_t size, off64_t at), fd, into, size, at)
FOGLINE_TRANSFER("write", write, (int fd, const void* from, size_t size), fd, from, size)
FOGLINE_TRANSFER("write", pwrite, (int fd, const void* from, size_t size, off_t at), fd, from, size,
                 at)
FOGLINE_TRANSFER("write", pwrite64, (int fd, const void* from, size_t size, off64_t at), fd, from,
                 size, at)
FOGLINE_TRANSFER("write", writev, (int fd, const iovec* from, int count), fd, from, count)

#define FOGLINE_SYNC(name)                              \
  int name(int fd) {                                    \
    static const auto real = Next<int (*)(int)>(#name); \
    return Fails("sync", fd, EIO) ? -1 : real(fd);      \
  }
FOGLINE_SYNC(fsync)
FOGLINE_SYNC(fdatasync)

int rename(const char* from, const char* to) noexcept {
  static const auto real = Next<int (*)(const char*, const char*)>("rename");
  return Fails("rename", to, EIO) ? -1 : real(from, to);
}

}  // extern "C"
