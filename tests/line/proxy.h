// A bad line between a client and its server: lets bytes through, lets none through or those of one
// way only, or cuts every connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace fogline {

/// Listens on a free loopback port and hands on to another. One thread.
class Proxy {
 public:
  enum class Line { kOpen, kStalled, kCut, kAsksOnly, kAnswersOnly };

  explicit Proxy(int to) : to_(to), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      return;  // port() stays 0
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~Proxy() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    CutAll();
    close(listener_);
  }

  int port() const { return port_; }
  void Set(Line line) { line_ = line; }
  int connections() const { return connections_; }

 private:
  using Pair = std::array<int, 2>;

  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void CutAll() {
    for (const Pair& pair : pairs_) {
      for (const int fd : pair) close(fd);
    }
    pairs_.clear();
  }

  void Accept() {
    const int in = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (in < 0) return;
    const int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(to_);
    if (line_ == Line::kCut ||
        connect(out, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(in);
      close(out);
      return;
    }
    pairs_.push_back({in, out});
    ++connections_;
  }

  /// False when the connection is over.
  static bool HandOn(int from, int to) {
    static thread_local std::vector<char> buffer(64 << 10);
    const ssize_t n = read(from, buffer.data(), buffer.size());
    for (ssize_t done = 0; done < n;) {
      const ssize_t m = send(to, buffer.data() + done, static_cast<size_t>(n - done), MSG_NOSIGNAL);
      if (m <= 0) return false;
      done += m;
    }
    return n > 0;
  }

  /// Whether what comes from the client (0) or the server (1) is handed on.
  bool Passes(size_t side) const {
    const Line line = line_;
    return line == Line::kOpen || line == (side == 0 ? Line::kAsksOnly : Line::kAnswersOnly);
  }

  void Run() {
    std::vector<pollfd> wait;
    while (!stopping_) {
      if (line_ == Line::kCut) CutAll();
      wait.assign(1, {listener_, POLLIN, 0});
      for (const Pair& pair : pairs_) {
        for (const size_t side : {0, 1}) {
          wait.push_back({pair[side], static_cast<short>(Passes(side) ? POLLIN : 0), 0});
        }
      }
      poll(wait.data(), wait.size(), 5);
      std::vector<Pair> alive;
      for (size_t i = 0; i < pairs_.size(); ++i) {
        bool ok = true;
        for (const size_t side : {0, 1}) {
          const short events = wait[1 + 2 * i + side].revents;
          if (!Passes(side) || events == 0 || !ok) continue;
          ok = HandOn(pairs_[i][side], pairs_[i][1 - side]);
        }
        if (ok) {
          alive.push_back(pairs_[i]);
        } else {
          for (const int fd : pairs_[i]) close(fd);
        }
      }
      pairs_ = std::move(alive);
      if (wait[0].revents != 0) Accept();
    }
  }

  const int to_;
  const int listener_;
  int port_ = 0;
  std::atomic<Line> line_{Line::kOpen};
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::vector<Pair> pairs_;  // the thread's
  std::thread thread_;
};

}  // namespace fogline
