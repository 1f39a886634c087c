#include "lab/relay.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "servers/serve.h"

namespace fogline {
namespace {

constexpr size_t kSegment = 1448;
constexpr size_t kBuffer = 4 << 20;
constexpr double kLeastTimeoutMs = 200;

Nanos FromMs(double ms) { return Nanos(static_cast<int64_t>(ms * 1e6)); }

/// When the bytes of one direction arrive. Shared by all connections.
class Direction {
 public:
  Direction(const LinkShape& shape, bool up)
      : shape_(shape),
        rate_mbps_(up ? shape.up_mbps : shape.down_mbps),
        trace_(up && shape.up_trace ? &*shape_.up_trace : nullptr),
        random_(shape.seed * 2 + (up ? 0 : 1)),
        start_(Clock::Real().Steady()) {}

  /// When a segment handed over now has arrived, in order with those before it.
  Nanos Arrival(size_t bytes, bool more_follows) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    const Nanos now = Clock::Real().Steady();
    free_at_ = std::max(free_at_, now) + Sending(bytes, std::max(free_at_, now));
    std::uniform_real_distribution<double> share(0, 1);
    if (shape_.loss > 0 && share(random_) < shape_.loss) {
      free_at_ += FromMs(StallMs(shape_, more_follows));
    }
    double late_ms = shape_.delay_ms;
    if (shape_.jitter_ms > 0) late_ms += shape_.jitter_ms * share(random_);
    last_arrival_ = std::max(last_arrival_, free_at_ + FromMs(late_ms));
    return last_arrival_;
  }

  uint64_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  Nanos Sending(size_t bytes, Nanos from) const {
    const auto amount = static_cast<double>(bytes);
    if (trace_ != nullptr) {
      return FromMs(
          trace_->TransferTime(Bytes(amount), Milliseconds(Millis(from - start_))).value());
    }
    return rate_mbps_ > 0 ? FromMs(amount * 8 / (rate_mbps_ * 1000)) : Nanos(0);
  }

  const LinkShape shape_;
  const double rate_mbps_;
  const Trace* const trace_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  const Nanos start_;
  Nanos free_at_{0}, last_arrival_{0};
  uint64_t bytes_ = 0;
};

/// One direction of one connection: a thread that takes bytes in and one that lets them out when
/// they have arrived.
class Pump {
 public:
  Pump(int from, int to, Direction& direction)
      : from_(from),
        to_(to),
        direction_(direction),
        in_([this](const std::stop_token& stop) { In(stop); }),
        out_([this](const std::stop_token& stop) { Out(stop); }) {}
  // Ends when both sockets have been shut down.

 private:
  struct Segment {
    Nanos due;
    size_t size = 0;
    std::array<std::byte, kSegment> bytes;
  };

  void In(const std::stop_token& stop) {
    prctl(PR_SET_TIMERSLACK, 1);
    for (;;) {
      Segment segment;
      const ssize_t n = recv(from_, segment.bytes.data(), segment.bytes.size(), 0);
      if (n < 0 && errno == EINTR) continue;
      std::unique_lock lock(mutex_);
      if (n <= 0) {
        ended_ = true;
        changed_.notify_all();
        return;
      }
      segment.size = static_cast<size_t>(n);
      changed_.wait(lock, stop, [this] { return waiting_ < kBuffer; });
      if (stop.stop_requested()) return;
      segment.due = direction_.Arrival(segment.size, segment.size == kSegment);
      waiting_ += segment.size;
      segments_.push_back(segment);
      changed_.notify_all();
    }
  }

  void Out(const std::stop_token& stop) {
    prctl(PR_SET_TIMERSLACK, 1);
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, stop, [this] { return ended_ || !segments_.empty(); });
      if (stop.stop_requested()) return;
      if (segments_.empty()) {
        shutdown(to_, SHUT_WR);  // the sender is done, and so is everything that it sent
        return;
      }
      const Nanos due = segments_.front().due;
      const std::chrono::steady_clock::time_point at{due};
      changed_.wait_until(lock, stop, at, [] { return false; });
      if (stop.stop_requested()) return;
      // Everything that has arrived by now goes out at once: a write a segment would cost more
      // than the link does at high rates.
      chunk_.clear();
      const Nanos now = Clock::Real().Steady();
      while (!segments_.empty() && segments_.front().due <= now) {
        const Segment& s = segments_.front();
        chunk_.insert(chunk_.end(), s.bytes.begin(), s.bytes.begin() + static_cast<long>(s.size));
        segments_.pop_front();
      }
      lock.unlock();
      const bool sent = SendAll();
      lock.lock();
      waiting_ -= std::min(waiting_, chunk_.size());
      changed_.notify_all();
      if (!sent) return;
    }
  }

  bool SendAll() {
    for (size_t at = 0; at < chunk_.size();) {
      const ssize_t n = send(to_, chunk_.data() + at, chunk_.size() - at, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      at += static_cast<size_t>(n);
    }
    return true;
  }

  const int from_, to_;
  Direction& direction_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Segment> segments_;  // under mutex_
  size_t waiting_ = 0;            // under mutex_: bytes taken in and not yet let out
  bool ended_ = false;
  std::vector<std::byte> chunk_;  // Out's
  std::jthread in_, out_;
};

void SendAtOnce(const Descriptor& socket) {
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/// An accepted connection and the one that it was relayed to. Shut down, then pumps, then sockets.
struct Connection {
  Connection(Descriptor from, Descriptor to, Direction& up, Direction& down)
      : edge(std::move(from)),
        broker(std::move(to)),
        upward(edge.get(), broker.get(), up),
        downward(broker.get(), edge.get(), down) {
    SendAtOnce(edge);
    SendAtOnce(broker);
  }

  Descriptor edge, broker;
  Pump upward, downward;
};

class RelayImpl final : public Relay {
 public:
  RelayImpl(int to_port, const LinkShape& shape)
      : to_port_(to_port), up_(shape, true), down_(shape, false) {}

  ~RelayImpl() override {
    if (listener_) shutdown(listener_.get(), SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    for (Connection& c : connections_) {
      shutdown(c.edge.get(), SHUT_RDWR);
      shutdown(c.broker.get(), SHUT_RDWR);
    }
    connections_.clear();
  }

  Status Listen(const std::string& address) {
    listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    socklen_t length = sizeof(at);
    if (!listener_ || inet_pton(AF_INET, address.c_str(), &at.sin_addr) != 1 ||
        bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0 ||
        listen(listener_.get(), 64) != 0 ||
        getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &length) != 0) {
      return Fail(ErrorCode::kUnavailable, address, "the link cannot listen there: {}",
                  std::generic_category().message(errno));
    }
    port_ = ntohs(at.sin_port);
    acceptor_ = std::jthread([this] { Accept(); });
    return {};
  }

  int port() const override { return port_; }
  uint64_t up_bytes() const override { return up_.bytes(); }
  uint64_t down_bytes() const override { return down_.bytes(); }

 private:
  void Accept() {
    for (;;) {
      Descriptor edge(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!edge && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!edge) return;
      Descriptor broker = ConnectHere(to_port_);
      if (!broker) continue;  // the edge's own back-off tries again
      connections_.emplace_back(std::move(edge), std::move(broker), up_, down_);
    }
  }

  const int to_port_;
  Direction up_, down_;
  Descriptor listener_;
  int port_ = 0;
  std::list<Connection> connections_;  // the acceptor's until it ends
  std::jthread acceptor_;
};

}  // namespace

double StallMs(const LinkShape& shape, bool more_follows) {
  const double round_trip = 2 * shape.delay_ms;
  return more_follows ? round_trip : std::max(kLeastTimeoutMs, round_trip);
}

Result<std::unique_ptr<Relay>> Relay::Start(const std::string& address, int to_port,
                                            const LinkShape& shape) {
  auto relay = std::make_unique<RelayImpl>(to_port, shape);
  FOGLINE_CHECK(relay->Listen(address));
  return relay;
}

}  // namespace fogline
