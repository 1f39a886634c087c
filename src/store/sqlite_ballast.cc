#include "store/sqlite_ballast.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/descriptor.h"

namespace fogline {
namespace {

// SQLite's log is 4 MB when it is written back, and a step's own pages come on top.
constexpr uint64_t kMost = 8 << 20;
constexpr uint64_t kLeast = 1 << 20;

}  // namespace

SqliteBallast::SqliteBallast(const std::string& store_path)
    : path_(store_path == ":memory:" ? std::string() : store_path + "-ballast") {}

void SqliteBallast::Take(uint64_t keep_bytes) {
  if (path_.empty() || access(path_.c_str(), F_OK) == 0) return;
  const Descriptor file(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return;
  const auto bytes = static_cast<off_t>(std::clamp(keep_bytes / 16, kLeast, kMost));
  if (posix_fallocate(file.get(), 0, bytes) != 0) Drop();
}

void SqliteBallast::Drop() {
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace fogline
