#include "link/link.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/log.h"
#include "link/backoff.h"
#include "link/client.h"
#include "link/inbox.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How long a connection stands until it counts as one.
constexpr Nanos kStood = 1s;
/// How long the loop sleeps when nothing happens: keep-alive is looked after that often.
constexpr int kIdleMs = 1000;
/// The same while the connection is being made, when nothing but a stop could wake the library.
constexpr int kConnectMs = 50;

/// Messages taken off the socket before they are handed on, and their bytes: enough to share the
/// costs of a turn, too few to keep anybody waiting.
constexpr size_t kMostInTurn = 64;
constexpr size_t kMostBytesInTurn = Inbox::kMostKept;

/// Bytes of a number in MQTT's own coding, seven bits each.
size_t VariableBytes(size_t value) {
  size_t bytes = 1;
  while (value >>= 7) ++bytes;
  return bytes;
}

/// One thread waits for the socket and calls the handler; whoever publishes writes to the socket
/// itself, so that no other thread has to wake up first. The library is not made for that: every
/// call of it happens under one lock, and what its callbacks hear is handed on after the lock is
/// released, so that a handler may block while others publish.
class MosquittoLink final : public Link, private ClientListener {
 public:
  MosquittoLink(const LinkOptions& options, LinkHandler& handler)
      : options_(options), handler_(handler), backoff_(100ms, 10s, std::random_device{}()) {}

  ~MosquittoLink() override { Stop(); }

  Status Open() {
    if (!wake_) return Fail(ErrorCode::kExhausted, options_.client_id, "no file descriptor left");
    FOGLINE_TRY(client_, NewClient(options_, *this));
    return {};
  }

  void Start() override {
    thread_ = std::jthread([this] { Loop(); });
  }

  Status Publish(const std::string& topic, std::span<const std::byte> payload, int qos,
                 const std::string& response_topic) override {
    if (!connected_)
      return Fail(ErrorCode::kUnavailable, options_.broker.ToString(), "is not connected");
    const size_t packet = PublishBytes(topic.size(), response_topic.size(), payload.size(), qos);
    const size_t most = most_packet();
    if (most > 0 && packet > most) {
      return Fail(ErrorCode::kUnsupported, options_.broker.ToString(),
                  "takes packets of {} bytes at most, and this one has {} (raise its "
                  "max_packet_size, or send less)",
                  most, packet);
    }
    const Properties properties = PublishProperties(response_topic);
    int rc = MOSQ_ERR_NO_CONN;
    bool rest = false;  // whether the socket took less than everything
    {
      const std::lock_guard lock(library_);
      if (connected_) {
        rc = mosquitto_publish_v5(client_.get(), nullptr, topic.c_str(),
                                  static_cast<int>(payload.size()), payload.data(), qos, false,
                                  properties.get());
        rest = mosquitto_want_write(client_.get());
      }
    }
    if (rest) Wake();
    if (rc != MOSQ_ERR_SUCCESS) {
      return Fail(ErrorCode::kUnavailable, topic, "cannot publish {} bytes: {}", payload.size(),
                  mosquitto_strerror(rc));
    }
    return {};
  }

  void Hold() override {
    const std::lock_guard lock(library_);
    if (holds_++ == 0) Cork(1);
  }

  void Flush() override {
    const std::lock_guard lock(library_);
    if (--holds_ == 0) Cork(0);
  }

  Status Subscribe(const std::string& filter, int qos) override {
    int rc = MOSQ_ERR_NO_CONN;
    {
      const std::lock_guard lock(library_);
      if (connected_) rc = mosquitto_subscribe(client_.get(), nullptr, filter.c_str(), qos);
    }
    if (rc != MOSQ_ERR_SUCCESS) {
      return Fail(ErrorCode::kUnavailable, filter, "cannot subscribe: {}", mosquitto_strerror(rc));
    }
    return {};
  }

  Status Unsubscribe(const std::string& filter) override {
    int rc = MOSQ_ERR_NO_CONN;
    {
      const std::lock_guard lock(library_);
      if (connected_) rc = mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str());
    }
    if (rc != MOSQ_ERR_SUCCESS) {
      return Fail(ErrorCode::kUnavailable, filter, "cannot unsubscribe: {}",
                  mosquitto_strerror(rc));
    }
    return {};
  }

  bool connected() const override { return connected_; }
  uint32_t most_packet() const override { return most_packet_; }

  void Stop() override {
    if (!thread_.joinable()) return;
    stopping_ = true;
    Wake();
    thread_.join();
  }

 private:
  void Loop() {
    while (!stopping_) {
      int rc = Connect();
      while (rc == MOSQ_ERR_SUCCESS && !GaveUp()) rc = connected_ ? Turn() : ConnectTurn();
      if (stopping_) break;
      Lost(mosquitto_strerror(rc));
      WaitForStop(backoff_.Next());
    }
    connected_ = false;
  }

  /// Every connection has a client of its own: the library keeps what was under way and what the
  /// last broker allowed, and would send the one and believe the other.
  int Connect() {
    auto client = NewClient(options_, *this);
    if (!client) return MOSQ_ERR_TLS;  // the certificates are not there any more, or not yet
    {
      const std::lock_guard lock(library_);
      OnDisconnect();
      client_ = *std::move(client);
    }
    HandOn();
    return mosquitto_connect_async(client_.get(), options_.broker.host.c_str(),
                                   options_.broker.port, options_.keepalive_s);
  }

  /// One turn of the library's own loop: until CONNACK, which knows about TCP and TLS handshakes.
  /// Nobody else calls the library meanwhile, since nothing is published before `connected_`.
  int ConnectTurn() {
    const int rc = mosquitto_loop(client_.get(), kConnectMs, 1);
    if (rc == MOSQ_ERR_SUCCESS && acknowledged_) connected_ = true;
    HandOn();
    return rc;
  }

  int Turn() {
    std::array<pollfd, 2> wait{};
    {
      const std::lock_guard lock(library_);
      const bool writing = mosquitto_want_write(client_.get());
      wait[0] = {mosquitto_socket(client_.get()),
                 static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
    }
    if (wait[0].fd < 0) return MOSQ_ERR_NO_CONN;
    wait[1] = {wake_.get(), POLLIN, 0};
    // Where the last turn left something behind, TLS may have taken it off the socket already.
    if (poll(wait.data(), wait.size(), more_ ? 0 : kIdleMs) < 0 && errno != EINTR) {
      return MOSQ_ERR_ERRNO;
    }
    if (wait[1].revents != 0) ClearWake();
    int rc = MOSQ_ERR_SUCCESS;
    {
      const std::lock_guard lock(library_);
      if (more_ || (wait[0].revents & ~POLLOUT) != 0) rc = Read();
      if (rc == MOSQ_ERR_SUCCESS && (wait[0].revents & POLLOUT) != 0)
        rc = mosquitto_loop_write(client_.get(), 1);
      if (rc == MOSQ_ERR_SUCCESS) rc = mosquitto_loop_misc(client_.get());
    }
    HandOn();
    return rc;
  }

  /// Takes messages off the socket until it is empty or this turn has its fill. From the third on,
  /// the library's acknowledgements share packets.
  int Read() {
    auto* const tls = static_cast<SSL*>(mosquitto_ssl_get(client_.get()));
    int rc = MOSQ_ERR_SUCCESS;
    int reads = 0;
    more_ = true;
    inbox_.BeginTurn();
    while (more_ && inbox_.count() < kMostInTurn && inbox_.bytes() < kMostBytesInTurn) {
      if (reads++ == 2 && holds_++ == 0) Cork(1);
      errno = 0;  // the library takes a stale EAGAIN for "nothing left"
      rc = mosquitto_loop_read(client_.get(), 1);
      const bool empty = errno == EAGAIN || errno == EWOULDBLOCK;
      const bool gone = rc != MOSQ_ERR_SUCCESS || mosquitto_socket(client_.get()) < 0;
      // Bytes that TLS has taken off the socket would not wake poll().
      more_ = !gone && (!empty || (tls != nullptr && SSL_pending(tls) > 0));
    }
    if (reads > 2 && --holds_ == 0) Cork(0);
    return rc;
  }

  /// Under the lock. A socket that is gone or does not know it is no trouble: it only saves
  /// packets.
  void Cork(int on) {
    if (!connected_) return;
    const int fd = mosquitto_socket(client_.get());
    if (fd >= 0) (void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
  }

  /// Asks for a disconnect once a stop is wanted, and waits for its end only so long.
  bool GaveUp() {
    if (!stopping_) return false;
    const Nanos now = Clock::Real().Steady();
    if (give_up_at_ == Nanos(0)) give_up_at_ = now + 1s;
    // The library forgets one that was asked for before the connection stood.
    if (connected_ && !asked_to_leave_) {
      asked_to_leave_ = true;
      const std::lock_guard lock(library_);
      mosquitto_disconnect_v5(client_.get(), 0, nullptr);
    }
    return now > give_up_at_ || !(connected_ || acknowledged_);
  }

  void Wake() {
    const uint64_t one = 1;
    if (write(wake_.get(), &one, sizeof(one)) < 0) return;  // full: it is awake already
  }

  void ClearWake() {
    uint64_t count = 0;
    if (read(wake_.get(), &count, sizeof(count)) < 0) return;  // somebody else's wake-up
  }

  void WaitForStop(Nanos most) {
    const Nanos end = Clock::Real().Steady() + most;
    for (Nanos now = Clock::Real().Steady(); !stopping_ && now < end;
         now = Clock::Real().Steady()) {
      pollfd wait{wake_.get(), POLLIN, 0};
      poll(&wait, 1, static_cast<int>((end - now) / 1ms) + 1);
      if (wait.revents != 0) ClearWake();
    }
  }

  /// Once per loss, not once per try. A connection that fell at once was none: a broker that ends
  /// each soon after its beginning is neither hammered nor told of each time.
  void Lost(const char* why) {
    if (connected_at_ != Nanos(0) && Clock::Real().Steady() - connected_at_ > kStood) {
      backoff_.Reset();
      said_lost_ = false;
    }
    connected_at_ = Nanos(0);
    if (said_lost_) return;
    LogWarning("broker {}: {}; trying again", options_.broker.ToString(), why);
    said_lost_ = true;
    said_back_ = false;
  }

  /// Once: a broker that refuses one message refuses the others too.
  void Refused(int rc) {
    if (!said_refused_) {
      LogWarning("broker {}: refuses what is published here: {} (is this the certificate's name?)",
                 options_.broker.ToString(), mosquitto_reason_string(rc));
    }
    said_refused_ = true;
  }

  // Callbacks of the library, under the lock once connected.

  void OnConnack(int rc, uint32_t most_packet) override {
    if (rc != 0) {
      Lost(mosquitto_reason_string(rc));
      mosquitto_disconnect_v5(client_.get(), 0, nullptr);
      return;
    }
    if (said_lost_ && !said_back_) {
      LogInfo("broker {}: connected", options_.broker.ToString());
      said_back_ = true;
    }
    most_packet_ = most_packet;
    connected_at_ = Clock::Real().Steady();
    acknowledged_ = true;
    inbox_.Keep(LinkEvent::Kind::kConnected);
  }

  void OnDisconnect() override {
    acknowledged_ = false;
    if (connected_.exchange(false)) inbox_.Keep(LinkEvent::Kind::kDisconnected);
  }

  void OnPuback(int reason) override {
    if (reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS) {
      inbox_.Keep(LinkEvent::Kind::kNobodyListens);
    } else if (reason >= MQTT_RC_UNSPECIFIED) {
      Refused(reason);
    }
  }

  void OnUnsuback() override { inbox_.Keep(LinkEvent::Kind::kUnsubscribed); }
  void OnPublish(const Message& message) override { inbox_.Keep(message); }

  /// Tells the handler what was kept, without the lock.
  void HandOn() {
    {
      const std::lock_guard lock(library_);
      inbox_.Swap(told_);
    }
    told_.Tell(handler_, !stopping_);
  }

  LinkOptions options_;
  LinkHandler& handler_;
  Client client_;
  std::jthread thread_;
  const Descriptor wake_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex library_;  // every call of libmosquitto, once connected
  std::atomic<bool> connected_{false}, stopping_{false};
  std::atomic<uint32_t> most_packet_{0};
  Inbox inbox_;  // under library_, once connected: whoever publishes may meet the connection's end
  Inbox told_;   // the link's own thread only
  // The link's own thread only, or callbacks under the lock:
  bool more_ = false;          // the socket may hold more than the last turn took
  int holds_ = 0;              // under library_: Hold without Flush
  bool acknowledged_ = false;  // CONNACK came, and no disconnect since
  bool asked_to_leave_ = false;
  bool said_refused_ = false;
  bool said_back_ = false;
  Nanos connected_at_{0};  // 0: not connected since the last loss
  Backoff backoff_;
  bool said_lost_ = false;
  Nanos give_up_at_{0};
};

}  // namespace

size_t PublishBytes(size_t topic, size_t response_topic, size_t payload, int qos) {
  const size_t properties = response_topic > 0 ? 1 + 2 + response_topic : 0;
  const size_t rest =
      2 + topic + (qos > 0 ? 2 : 0) + VariableBytes(properties) + properties + payload;
  return 1 + VariableBytes(rest) + rest;
}

Result<std::unique_ptr<Link>> Link::Make(const LinkOptions& options, LinkHandler& handler) {
  auto link = std::make_unique<MosquittoLink>(options, handler);
  FOGLINE_CHECK(link->Open());
  return link;
}

}  // namespace fogline
