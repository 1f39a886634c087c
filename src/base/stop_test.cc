#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/process.h"

namespace fogline {
namespace {

/// How a child ends that catches the stop signals and is sent `number`: 7 after a wish to stop.
int EndOf(int number, bool ignored) {
  const pid_t child = fork();
  if (child == 0) {
    if (ignored) signal(number, SIG_IGN);
    CatchStopSignals();
    raise(number);
    _exit(StopRequested() ? 7 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A cloud whose terminal closes works off what it has; one under nohup goes on.
TEST(StopSignals, AHangupIsAWishToStopUnlessItIsIgnored) {
  EXPECT_EQ(EndOf(SIGTERM, false), 7);
  EXPECT_EQ(EndOf(SIGHUP, false), 7);
  EXPECT_EQ(EndOf(SIGHUP, true), 0);
}

}  // namespace
}  // namespace fogline
