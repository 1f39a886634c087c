#include "base/process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/paths.h"

namespace fogline {
namespace {

std::atomic<bool> stop_requested{false};
int stop_fd = -1;

extern "C" void OnStopSignal(int number) {
  if (stop_requested.exchange(true) && number == SIGINT) _exit(130);
  const uint64_t one = 1;
  // Only async-signal-safe calls here; a full eventfd already says what we want to say.
  [[maybe_unused]] const ssize_t n = write(stop_fd, &one, sizeof(one));
}

/// Whether a terminal can hang up on this process: a service has none.
bool HasTerminal() {
  return static_cast<bool>(Descriptor(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)));
}

int ExitStatus(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

namespace {

/// What the child does with its ends between fork and exec, and with what it is told there.
struct ChildEnds {
  int out = -1, err = -1;
  const Process::Options& options;

  void Take() const {
    if (options.stdin_fd >= 0) dup2(options.stdin_fd, STDIN_FILENO);
    if (out >= 0) dup2(out, STDOUT_FILENO);
    if (err >= 0) {
      dup2(err, STDERR_FILENO);
    } else if (!options.stderr_to.empty()) {
      const int log =
          open(options.stderr_to.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      if (log < 0) return;
      dup2(log, STDERR_FILENO);
      if (out < 0) dup2(log, STDOUT_FILENO);
    }
  }
};

/// Both ends of a pipe that no other child gets.
struct Pipe {
  Descriptor read, write;

  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    return true;
  }
};

}  // namespace

Result<Process> Process::Start(const Options& options) {
  std::vector<char*> argv;
  for (const std::string& word : options.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  // The third pipe closes on a successful exec and carries errno otherwise, so that a missing
  // program is an error here.
  Pipe out, err, failed;
  if (!failed.Open() || (options.capture_stdout && !out.Open()) ||
      (options.capture_stderr && !err.Open())) {
    return Fail(ErrorCode::kExhausted, options.command[0], "cannot make a pipe: {}",
                std::generic_category().message(errno));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return Fail(ErrorCode::kExhausted, options.command[0], "cannot fork: {}",
                std::generic_category().message(errno));
  }
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, options.death_signal);
    if (getppid() != parent) _exit(127);
    // Its own group: a Ctrl-C at the terminal reaches the parent alone, which then stops its
    // children in order.
    setpgid(0, 0);
    ChildEnds{out.write.get(), err.write.get(), options}.Take();
    execvp(argv[0], argv.data());
    const int error = errno;
    [[maybe_unused]] const ssize_t n = write(failed.write.get(), &error, sizeof(error));
    _exit(127);
  }
  failed.write.Close();
  Process child;
  child.pid_ = pid;
  child.stdout_ = std::move(out.read);
  child.stderr_ = std::move(err.read);
  int error = 0;
  const ssize_t n = read(failed.read.get(), &error, sizeof(error));
  if (n == sizeof(error)) {
    child.Wait();
    return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                options.command[0], "cannot start: {}", std::generic_category().message(error));
  }
  return child;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      stdout_(std::move(other.stdout_)),
      stderr_(std::move(other.stderr_)),
      status_(other.status_),
      max_resident_bytes_(other.max_resident_bytes_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(stdout_, other.stdout_);
  std::swap(stderr_, other.stderr_);
  std::swap(status_, other.status_);
  std::swap(max_resident_bytes_, other.max_resident_bytes_);
  return *this;
}

Process::~Process() {
  if (pid_ > 0) Stop();
}

/// Collects the child's end; false when it has not come yet.
bool Process::Reap(int options) {
  int status = 0;
  rusage usage{};
  pid_t reaped = -1;
  while ((reaped = wait4(pid_, &status, options, &usage)) < 0 && errno == EINTR) {
  }
  if (reaped != pid_) return false;
  status_ = ExitStatus(status);
  max_resident_bytes_ = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  pid_ = -1;
  return true;
}

bool Process::Running() { return pid_ > 0 && !Reap(WNOHANG); }

Result<std::string> Process::ReadStdout(std::chrono::milliseconds at_most) {
  using std::chrono::steady_clock;
  const bool bounded = at_most != std::chrono::milliseconds::max();
  const auto end = bounded ? steady_clock::now() + at_most : steady_clock::time_point::max();
  std::string text;
  char buffer[4096];
  for (;;) {
    if (bounded) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now()).count();
      pollfd wanted[]{{stdout_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
      const int ready =
          left <= 0 ? 0 : poll(wanted, 2, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return Fail(ErrorCode::kUnavailable, "child", "does not end in time");
      if (stop_requested) return Fail(ErrorCode::kCancelled, "child", "asked to stop");
    }
    const ssize_t n = read(stdout_.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return Fail(ErrorCode::kInternal, "child", "cannot read its output: {}",
                  std::generic_category().message(errno));
    }
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
}

int Process::Wait() {
  if (pid_ > 0) Reap(0);
  return status_;
}

int Process::Stop(std::chrono::milliseconds grace) {
  if (pid_ <= 0) return status_;
  Signal(SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (Running()) {
    if (std::chrono::steady_clock::now() > deadline) {
      Signal(SIGKILL);
      return Wait();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status_;
}

void Process::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

Result<std::filesystem::path> FindShipped(const std::filesystem::path& relative) {
  std::vector<std::filesystem::path> places;
  if (const char* home = std::getenv("FOGLINE_HOME")) places.emplace_back(home);
  places.push_back(SelfPath().parent_path().parent_path() / "share" / "fogline");
  places.emplace_back(FOGLINE_SOURCE_DIR);
  std::string tried;
  for (const auto& place : places) {
    if (Exists(place / relative)) return place / relative;
    tried += (tried.empty() ? "" : ", ") + place.string();
  }
  return Fail(ErrorCode::kNotFound, relative.string(), "is not in {}; set FOGLINE_HOME", tried);
}

int FreePort() {
  const Descriptor any(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  int port = 0;
  if (any && bind(any.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      getsockname(any.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    port = ntohs(address.sin_port);
  }
  return port;
}

std::filesystem::path SelfPath() { return LinkTarget("/proc/self/exe"); }

std::filesystem::path FoglinePath() { return SelfPath().parent_path() / "fogline"; }

void CatchStopSignals() {
  if (stop_fd >= 0) return;
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that closes is a wish to stop in order, unless whoever started us had it ignored. To
  // a service it says "read your files again", which it does without being told.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_DFL) {
    if (!HasTerminal()) action.sa_handler = SIG_IGN;
    sigaction(SIGHUP, &action, nullptr);
  }
  // A reader that went away (head, a closed browser) is an error of that write, not the end of the
  // process.
  signal(SIGPIPE, SIG_IGN);
}

bool StopRequested() { return stop_requested; }

int StopDescriptor() { return stop_fd; }

bool WaitForStop(std::chrono::milliseconds at_most) {
  if (stop_requested) return true;
  pollfd wanted{stop_fd, POLLIN, 0};
  poll(&wanted, 1, static_cast<int>(at_most.count()));
  return stop_requested;
}

}  // namespace fogline
