// The link in user space: it must carry every byte, never faster than told, and as fast as the
// kernel's own shaping does.
#include "lab/relay.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/clock.h"
#include "base/process.h"
#include "lab/kernel_link.h"

namespace fogline {
namespace {

/// A server on all addresses that reads so many bytes of each connection and answers with one.
class Sink {
 public:
  explicit Sink(size_t bytes) : bytes_(bytes) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t length = sizeof(at);
    const bool good = bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0 &&
                      listen(listener_, 8) == 0 &&
                      getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length) == 0;
    EXPECT_TRUE(good);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Sink() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    std::vector<char> buffer(1 << 16);
    for (int fd = 0; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      size_t got = 0;
      uint8_t sum = 0;
      while (got < bytes_) {
        const ssize_t n = recv(fd, buffer.data(), std::min(buffer.size(), bytes_ - got), 0);
        if (n <= 0) break;
        for (ssize_t i = 0; i < n; ++i)
          sum = static_cast<uint8_t>(sum + buffer[static_cast<size_t>(i)]);
        got += static_cast<size_t>(n);
      }
      if (got == bytes_) send(fd, &sum, 1, MSG_NOSIGNAL);
    }
  }

  const size_t bytes_;
  int listener_ = -1, port_ = 0;
  std::thread thread_;
};

/// Sends so many bytes and waits for the answer; milliseconds, or a negative number.
double TransferMs(const std::string& address, int port, size_t bytes) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0) {
    close(fd);
    return -1;
  }
  std::vector<uint8_t> data(bytes);
  uint8_t sum = 0, answer = 0;
  for (size_t i = 0; i < bytes; ++i)
    sum = static_cast<uint8_t>(sum + (data[i] = static_cast<uint8_t>(i * 7)));
  const Nanos start = Clock::Real().Steady();
  for (size_t sent = 0; sent < bytes;) {
    const ssize_t n = send(fd, data.data() + sent, bytes - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<size_t>(n);
  }
  const bool answered = recv(fd, &answer, 1, 0) == 1 && answer == sum;
  const double ms = Millis(Clock::Real().Steady() - start);
  close(fd);
  return answered ? ms : -1;
}

TEST(Relay, CarriesEveryByteAndIsNeverFasterThanTold) {
  constexpr size_t kBytes = 100'000;
  const Sink sink(kBytes);
  LinkShape shape;
  shape.up_mbps = 16;
  shape.delay_ms = 10;
  shape.jitter_ms = 4;
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay) << relay.error().ToString();
  const double ms = TransferMs("127.0.0.1", (*relay)->port(), kBytes);
  EXPECT_GE(ms, 50.0 + 2 * 10);
  EXPECT_EQ((*relay)->up_bytes(), kBytes);
  EXPECT_EQ((*relay)->down_bytes(), 1U);
}

TEST(Relay, ALostSegmentStallsWhatFollows) {
  constexpr size_t kBytes = 100'000;
  const Sink sink(kBytes);
  LinkShape shape;
  shape.loss = 0.1;
  shape.delay_ms = 5;
  // Of 70 segments about seven are lost, each a round trip at least.
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay);
  EXPECT_GE(TransferMs("127.0.0.1", (*relay)->port(), kBytes), 20);
  EXPECT_EQ(StallMs(shape, true), 10);
  EXPECT_EQ(StallMs(shape, false), 200);
}

TEST(Relay, PlaysBackATrace) {
  constexpr size_t kBytes = 45'000;
  const Sink sink(kBytes);
  LinkShape shape;
  // A packet of 1,500 bytes every 2 ms: 6 Mbit/s.
  std::string text;
  for (int ms = 2; ms <= 1000; ms += 2) text += std::to_string(ms) + "\n";
  shape.up_trace = *Trace::Parse(text, "trace");
  const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
  ASSERT_TRUE(relay);
  EXPECT_GE(TransferMs("127.0.0.1", (*relay)->port(), kBytes), 55);
}

TEST(Relay, SaysWhereItCannotListen) {
  const auto relay = Relay::Start("192.0.2.1", 1, {});
  ASSERT_FALSE(relay);
  EXPECT_EQ(relay.error().code, ErrorCode::kUnavailable);
}

/// The fastest of a few transfers: what load does to one of them, it does not do to all.
template <typename Transfer>
double Fastest(const Transfer& transfer) {
  double fastest = INFINITY;
  for (int i = 0; i < 5; ++i) fastest = std::min(fastest, transfer());
  return fastest;
}

// The same transfers over the kernel's token bucket and over the relay must take the same time. A
// busy machine slows single transfers on either, so the fastest of a few count, and a pair that
// differs is measured again.
TEST(Relay, AgreesWithTheKernel) {
  for (const auto& [rate, size] :
       {std::pair{5.0, size_t{10'000}}, {5.0, size_t{60'000}}, {40.0, size_t{300'000}}}) {
    const double mbps = rate;
    const size_t bytes = size;  // what a lambda may hold
    LinkShape shape;
    shape.up_mbps = shape.down_mbps = mbps;
    const auto kernel = KernelLink::Make(shape);
    if (!kernel) GTEST_SKIP() << kernel.error().ToString();
    const Sink sink(bytes);
    // From the namespace to us: a relay without a shape is the client's end there, run by bash.
    const std::string send =
        fmt::format("exec 3<>/dev/tcp/{}/{}; head -c {} /dev/zero >&3; head -c 1 <&3 >/dev/null",
                    (*kernel)->address(), sink.port(), bytes);
    const auto over_kernel = [&] {
      std::vector<std::string> command = (*kernel)->enter();
      // Time is taken inside, where starting bash does not count.
      command.insert(command.end(),
                     {"bash", "-c",
                      "s=$(date +%s%N); " + send + "; e=$(date +%s%N); echo $(((e - s) / 1000))"});
      auto process = Process::Start({.command = command, .capture_stdout = true, .stderr_to = {}});
      const auto text = process ? process->ReadStdout() : Result<std::string>("0");
      return std::atof(text->c_str()) / 1000;
    };
    const auto relay = Relay::Start("127.0.0.1", sink.port(), shape);
    ASSERT_TRUE(relay);
    double in_kernel = INFINITY, in_user = INFINITY;
    for (int attempt = 0; attempt < 4; ++attempt) {
      in_kernel = std::min(in_kernel, Fastest(over_kernel));
      in_user = std::min(in_user,
                         Fastest([&] { return TransferMs("127.0.0.1", (*relay)->port(), bytes); }));
      if (std::abs(in_user / in_kernel - 1) < 0.1) break;
    }
    const double told = static_cast<double>(bytes) * 8 / (mbps * 1000);
    std::printf("%.0f Mbit/s, %zu bytes: told %.2f ms, kernel %.2f, user space %.2f\n", mbps, bytes,
                told, in_kernel, in_user);
    EXPECT_GE(in_user, told);
    EXPECT_NEAR(in_user / in_kernel, 1, 0.25) << mbps << " Mbit/s, " << bytes << " bytes";
  }
}

}  // namespace
}  // namespace fogline
