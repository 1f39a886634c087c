// What the engine dies of only with real data in it: a trial runs a network on zeros, and does not
// see it. Such a death ends the process; this says whose it was, and remembers it for the next one.
#pragma once

#include <filesystem>
#include <string>

namespace fogline {

/// What is said of a network in whose run the process dies. Made when the network is opened, since
/// a dying process cannot make it any more.
struct Epitaph {
  std::string line;  // for the memory of trials, with its end of line; empty: not remembered
  std::string said;  // for stderr, likewise
};

/// From now on, a death of this process by a fault (a signal such as SIGSEGV, SIGFPE or SIGABRT)
/// within a run is told on stderr and appended to `memory` (empty: told alone). Call it once,
/// early; a second call changes the file.
void TellLastWords(const std::filesystem::path& memory);

/// While it lives, this thread runs a network. Two stores to memory of the thread's own: for the
/// frame path. The epitaph must outlive it.
class RunningNow {
 public:
  explicit RunningNow(const Epitaph& epitaph) noexcept;
  ~RunningNow();
  RunningNow(const RunningNow&) = delete;
  RunningNow& operator=(const RunningNow&) = delete;
};

}  // namespace fogline
