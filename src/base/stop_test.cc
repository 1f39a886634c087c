#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/process.h"

namespace fogline {
namespace {

enum class Terminal { kNone, kOwn };

/// In a session of its own, with a terminal or without; false where there is none to be had.
bool BeginSession(Terminal terminal) {
  if (setsid() < 0) return false;
  if (terminal == Terminal::kNone) return true;
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  char name[64];
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
      ptsname_r(master, name, sizeof(name)) != 0) {
    return false;
  }
  const int slave = open(name, O_RDWR);
  return slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0;
}

/// How a child ends that catches the stop signals and is sent `number`: 7 after a wish to stop.
int EndOf(int number, Terminal terminal, bool ignored) {
  const pid_t child = fork();
  if (child == 0) {
    if (!BeginSession(terminal)) _exit(3);
    if (ignored) signal(number, SIG_IGN);
    CatchStopSignals();
    raise(number);
    _exit(StopRequested() ? 7 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A cloud whose terminal closes works off what it has; one under nohup goes on, and so does a
// service, to which a hangup is a wish that it reads its files again.
TEST(StopSignals, AHangupIsAWishToStopOnlyWhereATerminalCloses) {
  if (EndOf(SIGTERM, Terminal::kOwn, false) == 3) GTEST_SKIP() << "no pseudo-terminals here";
  for (const Terminal terminal : {Terminal::kNone, Terminal::kOwn}) {
    EXPECT_EQ(EndOf(SIGTERM, terminal, false), 7);
    EXPECT_EQ(EndOf(SIGHUP, terminal, true), 0);
  }
  EXPECT_EQ(EndOf(SIGHUP, Terminal::kOwn, false), 7);
  EXPECT_EQ(EndOf(SIGHUP, Terminal::kNone, false), 0);
}

}  // namespace
}  // namespace fogline
