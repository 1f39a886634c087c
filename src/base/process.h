// Child processes that never outlive us, and the wish to stop (Ctrl-C, SIGTERM).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace fogline {

/// A running child. The kernel kills it when its parent dies. Not thread-safe; the destructor ends
/// the child.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;  // absolute path or a name on PATH, then its arguments
    bool capture_stdout = false;       // read with ReadStdout(), or from stdout_fd()
    std::filesystem::path stderr_to;   // empty: ours
    int stdin_fd = -1;                 // an open file for its stdin; -1: ours
    bool capture_stderr = false;       // in place of stderr_to: read from stderr_fd()
    /// What the kernel sends it when the thread that started it ends, whatever became of us.
    int death_signal = SIGTERM;
  };

  static Result<Process> Start(const Options& options);
  /// No child: to assign a started one to later.
  static Process None() { return {}; }
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  /// Where its captured output is read; closed with the Process. -1 where it was not captured.
  int stdout_fd() const { return stdout_.get(); }
  int stderr_fd() const { return stderr_.get(); }
  /// True while the child has not ended.
  bool Running();
  /// Reads the captured stdout until the child closes it; with a limit,
  /// kUnavailable when it has not within `at_most` and kCancelled when a stop is asked for.
  Result<std::string> ReadStdout(
      std::chrono::milliseconds at_most = std::chrono::milliseconds::max());
  /// Waits for the end; the exit status, or 128 + the signal that ended it.
  int Wait();
  /// SIGTERM, then SIGKILL when it has not ended within `grace`. Returns as Wait().
  int Stop(std::chrono::milliseconds grace = std::chrono::seconds(5));
  void Signal(int number) const;
  /// Largest resident memory the child had, in bytes; known after its end.
  uint64_t max_resident_bytes() const { return max_resident_bytes_; }

 private:
  Process() = default;
  bool Reap(int options);
  pid_t pid_ = -1;
  Descriptor stdout_, stderr_;
  int status_ = -1;  // as Wait() returns it, once reaped
  uint64_t max_resident_bytes_ = 0;
};

/// The path of this very program.
std::filesystem::path SelfPath();
/// The path of `fogline`, this very program or the one beside it, to start daemons with.
std::filesystem::path FoglinePath();

/// A file that comes with Fogline ("models/litter.onnx"): looked for below $FOGLINE_HOME, below
/// ../share/fogline of this program, and in the source tree that it was built in. kNotFound with
/// the places that were tried.
Result<std::filesystem::path> FindShipped(const std::filesystem::path& relative);

/// A loopback TCP port that was free a moment ago; 0 when there is none.
int FreePort();

/// Makes SIGINT, SIGTERM and, where a terminal may hang up, SIGHUP set a flag instead of ending the
/// process; call once, before any thread starts. A second SIGINT ends the process at once. SIGHUP
/// is ignored where it was, and by a process without a terminal.
void CatchStopSignals();
bool StopRequested();
/// A descriptor that becomes readable when a stop is asked for, to poll() beside others.
int StopDescriptor();
/// Waits until a stop is asked for or the time has passed; true for the stop.
bool WaitForStop(std::chrono::milliseconds at_most);

}  // namespace fogline
