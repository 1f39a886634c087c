// Whoever waits for a camera, a pipe or a gpsd that stays silent still ends when it is asked to.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <thread>

#include "base/file.h"
#include "edge/latest.h"
#include "edge/locator.h"
#include "vision/image.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// Whether something ends at all; where it does not, the test program ends instead.
template <typename T>
void ExpectToEnd(std::unique_ptr<T> object) {
  std::promise<void> ended;
  std::thread([&ended, object = std::move(object)]() mutable {
    object = nullptr;
    ended.set_value();
  }).detach();
  if (ended.get_future().wait_for(30s) != std::future_status::ready) {
    ADD_FAILURE() << "does not end";
    std::abort();
  }
}

TEST(Waiting, TheNewestOfASilentStreamCanBeGivenUp) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  std::vector<std::byte> jpeg;
  ASSERT_TRUE(EncodeJpeg({16, 16, std::vector<uint8_t>(768, 90)}, 90, jpeg));
  ASSERT_EQ(write(ends[1], jpeg.data(), jpeg.size()), static_cast<ssize_t>(jpeg.size()));
  auto latest = std::make_unique<LatestSource>(OpenMjpeg(ends[0], "pipe"), Nanos(0));
  Capture capture;
  const auto first = latest->Next(capture);
  ASSERT_TRUE(first && *first);
  ExpectToEnd(std::move(latest));  // nothing more comes, and the pipe stays open
  for (const int end : ends) close(end);
}

/// A listener whose queue is full answers no SYN, like a host that is not there.
TEST(Waiting, AGpsdThatDoesNotAnswerHoldsUpNobody) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int port = ntohs(address.sin_port);
  // Connections in state SYN_SENT (02) to our port.
  const auto waiting = [&] {
    const std::string table = ReadTextFile("/proc/net/tcp").value_or("");
    const std::string to_us = fmt::format("0100007F:{:04X} 02 ", port);
    size_t count = 0;
    for (size_t at = table.find(to_us); at != table.npos; at = table.find(to_us, at + 1)) ++count;
    return count;
  };
  std::vector<int> fill;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (waiting() == 0 && std::chrono::steady_clock::now() < deadline) {
    fill.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)connect(fill.back(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
    std::this_thread::sleep_for(1ms);
  }
  if (waiting() == 0) GTEST_SKIP() << "no /proc/net/tcp, or a kernel that queues everything";
  const size_t before = waiting();
  auto gpsd = GpsdLocator(fmt::format("127.0.0.1:{}", port));
  ASSERT_TRUE(gpsd);
  while (waiting() <= before && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_GT(waiting(), before) << "it is connecting";
  ExpectToEnd(*std::move(gpsd));
  for (const int fd : fill) close(fd);
  close(listener);
}

}  // namespace
}  // namespace fogline
