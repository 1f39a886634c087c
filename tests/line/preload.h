// What libraries that are preloaded into a process share: the call behind theirs, and which files
// they care for. They link nothing.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace fogline::preload {

/// The function of this name that would have been called.
template <typename F>
F Next(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

/// Whether a path begins with a folder's; null is no path, and no folder.
inline bool Below(const char* path, const char* folder) {
  return folder != nullptr && *folder != '\0' && path != nullptr &&
         std::strncmp(path, folder, std::strlen(folder)) == 0;
}
/// The same of the file that is open.
inline bool Below(int fd, const char* folder) {
  char link[32], path[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return false;
  path[size] = '\0';
  return Below(path, folder);
}

/// The third argument of open(), where there is one.
inline mode_t ModeOf(int flags, va_list more) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

}  // namespace fogline::preload
