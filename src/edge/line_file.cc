#include "edge/line_file.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/paths.h"

namespace fogline {
namespace {

constexpr int kPollMs = 100;
constexpr int kReadableByAll = 0644;

}  // namespace

Result<std::unique_ptr<LineFile>> LineFile::Open(const std::string& name) {
  const bool fresh = name != "-" && !Exists(name);
  // A pipe that is open for reading as well has a reader always: its own may come and go.
  Descriptor file(
      name == "-" ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                  : open(name.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kReadableByAll));
  if (!file) {
    return Fail(CodeOfErrno(errno), name, "cannot be written: {}", std::strerror(errno));
  }
  // For other programs, which may be another user's: the rest of what an edge writes is its own.
  if (fresh) (void)fchmod(file.get(), kReadableByAll);
  return std::unique_ptr<LineFile>(new LineFile(name == "-" ? "stdout" : name, std::move(file)));
}

LineFile::LineFile(std::string name, Descriptor file)
    : name_(std::move(name)),
      file_(std::move(file)),
      writer_([this](const std::stop_token& stop) { Run(stop); }) {}

LineFile::~LineFile() {
  writer_.request_stop();
  writer_.join();
  if (lost_ > 0) LogWarning("{}: {} lines were not read in time and are lost", name_, lost_);
}

void LineFile::Write(std::string line) {
  line += '\n';
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) {
      ++lost_;
      return;
    }
    bytes_ += line.size();
    lines_.push_back(std::move(line));
    while (bytes_ > kMostBytes) {
      bytes_ -= lines_.front().size();
      lines_.pop_front();
      first |= lost_++ == 0;
    }
  }
  if (first) LogWarning("{}: its reader is slow; the oldest lines make room for newer ones", name_);
  filled_.notify_one();
}

uint64_t LineFile::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

size_t LineFile::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void LineFile::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (filled_.wait(lock, stop, [this] { return !lines_.empty(); })) {
    const std::string line = std::move(lines_.front());
    lines_.pop_front();
    bytes_ -= line.size();
    lock.unlock();
    const bool taken = Put(line, stop);
    lock.lock();
    if (taken) continue;
    broken_ = true;
    lost_ += 1 + lines_.size();
    lines_.clear();
    return;
  }
}

/// False when nobody will read it.
bool LineFile::Put(const std::string& line, const std::stop_token& stop) {
  std::string_view rest = line;
  while (!rest.empty()) {
    if (!WaitForReader(stop)) return false;
    // A pipe that takes anything takes so much without a wait.
    const ssize_t written =
        write(file_.get(), rest.data(), std::min<size_t>(rest.size(), PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) {
      LogError("{}: cannot be written: {}", name_, std::strerror(errno));
      return false;
    }
    if (written > 0) rest.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

/// False when a stop is asked for and the reader takes nothing more.
bool LineFile::WaitForReader(const std::stop_token& stop) {
  Nanos waited(0);
  for (;;) {
    pollfd wanted{file_.get(), POLLOUT, 0};
    if (poll(&wanted, 1, kPollMs) > 0) return true;
    if (!stop.stop_requested()) continue;
    waited += std::chrono::milliseconds(kPollMs);
    if (waited >= kLastWait) return false;
  }
}

}  // namespace fogline
