// Where transfers over a link end, for what tests and measures links.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"

namespace fogline {

/// A server on all addresses that reads so many bytes of each connection and answers with one.
class Sink {
 public:
  explicit Sink(size_t bytes) : bytes_(bytes) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    socklen_t length = sizeof(at);
    const int fd = listener_.get();
    if (bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) != 0) {
      return;
    }
    port_ = ntohs(at.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }
  ~Sink() { shutdown(listener_.get(), SHUT_RDWR); }
  /// 0 when it cannot listen.
  int port() const { return port_; }

 private:
  void Serve() {
    std::vector<char> buffer(1 << 16);
    while (const Descriptor client = Descriptor(accept(listener_.get(), nullptr, nullptr))) {
      size_t got = 0;
      uint8_t sum = 0;
      while (got < bytes_) {
        const ssize_t n =
            recv(client.get(), buffer.data(), std::min(buffer.size(), bytes_ - got), 0);
        if (n <= 0) break;
        for (ssize_t i = 0; i < n; ++i)
          sum = static_cast<uint8_t>(sum + buffer[static_cast<size_t>(i)]);
        got += static_cast<size_t>(n);
      }
      if (got == bytes_) send(client.get(), &sum, 1, MSG_NOSIGNAL);
    }
  }

  const size_t bytes_;
  const Descriptor listener_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int port_ = 0;
  std::jthread thread_;
};

/// Sends so many bytes and waits for the answer; milliseconds, or a negative number.
inline double TransferMs(const std::string& address, int port, size_t bytes) {
  const Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int fd = client.get();
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0) return -1;
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
  return answered ? ms : -1;
}

}  // namespace fogline
