// Preloaded, makes one call of this process fail: the n-th of a kind on files below a folder.
//   FAIL_CALL=open:3           open, read, write, sync or rename, and which of them
//   FAIL_BELOW=/tmp/store      the folder
//   FAIL_MARK=/tmp/failed      a file that is made when it has failed
// A file that cannot be opened is one too many (EMFILE), all else is a bad disk (EIO).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// NOLINTBEGIN(concurrency-mt-unsafe): nothing here writes to the environment
namespace {

template <typename F>
F Next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

bool Below(const char* path) {
  static const char* const folder = std::getenv("FAIL_BELOW");
  return folder != nullptr && path != nullptr &&
         std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool Below(int fd) {
  char link[32], path[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return false;
  path[size] = '\0';
  return Below(path);
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

mode_t ModeOf(int flags, va_list more) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
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
