#include "base/uncaught.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace fogline {
namespace {

template <typename Thrown>
void ThrowInAThread(const Thrown& thrown) {
  EndOnUncaught("fogline: no memory left\n");
  std::jthread([&] { throw thrown; }).join();
}

TEST(UncaughtDeathTest, WantOfMemoryOrThreadsEndsWithOneLineAndAStatus) {
  EXPECT_EXIT(ThrowInAThread(std::bad_alloc()), testing::ExitedWithCode(1),
              "^fogline: no memory left\n$");
  EXPECT_EXIT(ThrowInAThread(std::system_error(
                  std::make_error_code(std::errc::resource_unavailable_try_again))),
              testing::ExitedWithCode(1), "^fogline: no memory left\n$");
}

TEST(UncaughtDeathTest, WhatIsAFaultOfOursAbortsWithItsWords) {
  EXPECT_EXIT(ThrowInAThread(std::logic_error("cannot be")), testing::KilledBySignal(SIGABRT),
              "^fogline: ends by a fault of its own: cannot be\n$");
  EXPECT_EXIT(ThrowInAThread(std::system_error(std::make_error_code(std::errc::io_error))),
              testing::KilledBySignal(SIGABRT), "Input/output error\n$");
  EXPECT_EXIT(ThrowInAThread(7), testing::KilledBySignal(SIGABRT), "which says nothing\n$");
}

}  // namespace
}  // namespace fogline
