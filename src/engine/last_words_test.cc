#include "engine/last_words.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "base/file.h"

namespace fogline {
namespace {

const Epitaph kEpitaph{"abc fell all\n", "fogline: net.onnx died\n"};

class LastWords : public ::testing::Test {
 protected:
  /// How a child ends that is told to tell its last words, and then does this.
  int EndOf(const std::function<void()>& child, int from_outside = 0) {
    int ready[2];
    EXPECT_EQ(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      TellLastWords(memory_);
      const char byte = 0;
      child();
      if (write(ready[1], &byte, 1) == 1 && from_outside != 0) pause();
      _exit(0);
    }
    close(ready[1]);
    char byte = 0;
    if (from_outside != 0) {
      EXPECT_EQ(read(ready[0], &byte, 1), 1);
      kill(pid, from_outside);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    close(ready[0]);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  std::string Remembered() const { return ReadTextFile(memory_).value_or(""); }

  TempDir dir_;
  const std::filesystem::path memory_ = dir_.path() / "memory";
};

TEST_F(LastWords, ARunThatEndsTheProcessIsRemembered) {
  EXPECT_EQ(EndOf([] {
              const RunningNow running(kEpitaph);
              std::abort();
            }),
            SIGABRT);
  EXPECT_EQ(Remembered(), kEpitaph.line);
  EXPECT_EQ(EndOf([] {
              const RunningNow running(kEpitaph);
              volatile int* nowhere = nullptr;
              *nowhere = 1;
            }),
            SIGSEGV);
  EXPECT_EQ(Remembered(), kEpitaph.line + kEpitaph.line);
}

TEST_F(LastWords, WhoDiesOutsideOfARunBlamesNobody) {
  EXPECT_EQ(EndOf([] {
              { const RunningNow over(kEpitaph); }
              std::abort();
            }),
            SIGABRT);
  EXPECT_EQ(Remembered(), "");
}

/// A watchdog's SIGABRT ends the process as it should, and is no network's doing.
TEST_F(LastWords, ASignalFromOutsideBlamesNobody) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE}) {
    EXPECT_EQ(EndOf([] { new RunningNow(kEpitaph); }, signal), signal);
    EXPECT_EQ(Remembered(), "");
  }
}

}  // namespace
}  // namespace fogline
