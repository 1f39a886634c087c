#include "link/link.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/log.h"
#include "base/random.h"
#include "link/backoff.h"
#include "link/inbox.h"
#include "link/session.h"
#include "link/wire.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How long a connection stands until it counts as one.
constexpr Nanos kStood = 1s;
/// How long the loop sleeps when nothing happens: keep-alive is looked after that often.
constexpr int kIdleMs = 1000;
/// How long one address may take to answer, and a broker from there to its CONNACK.
constexpr Nanos kReaching = 10s;
constexpr Nanos kGreeting = 30s;
/// How long a stop waits for what was published to go out.
constexpr Nanos kLeaving = 1s;
/// Bytes taken off the socket before they are handed on: enough to share the costs of a turn, too
/// few to keep anybody waiting.
constexpr size_t kMostBytesInTurn = Inbox::kMostKept;
/// What is held back goes out beyond this.
constexpr size_t kMostHeld = 256 << 10;

Nanos Now() { return Clock::Real().Steady(); }

/// An id that nobody can guess: whoever knows one can throw its owner off the broker.
std::string ClientId(const std::string& name) {
  return fmt::format("{}-{:016x}{:016x}", name, RandomBits(), RandomBits());
}

/// One thread waits for the socket and calls the handler; whoever publishes writes to the socket
/// itself, so that no other thread has to wake up first. MqttSession and wire are touched under one
/// lock, and what is heard is handed on after it is released, so that a handler may block while
/// others publish.
class SessionLink final : public Link, private SessionListener {
 public:
  SessionLink(const LinkOptions& options, LinkHandler& handler)
      : options_(options), handler_(handler), backoff_(100ms, 10s, std::random_device{}()) {
    connect_.client_id = ClientId(options.name);
    connect_.user = options.broker.user;
    connect_.password = options.broker.password;
    connect_.keepalive_s = options.keepalive_s;
    connect_.receive_maximum = static_cast<uint16_t>(options.receive_maximum);
    connect_.most_packet = options.most_incoming;
  }

  ~SessionLink() override { Stop(); }

  Status Open() {
    if (!wake_) return Fail(ErrorCode::kExhausted, options_.name, "no file descriptor left");
    return BrokerWire::CheckFiles(options_);
  }

  void Start() override {
    thread_ = std::jthread([this] { Loop(); });
  }

  Status Publish(const std::string& topic, std::span<const std::byte> payload, int qos,
                 const std::string& response_topic) override {
    const size_t packet = PublishBytes(topic.size(), response_topic.size(), payload.size(), qos);
    const size_t most = most_packet();
    if (connected_ && most > 0 && packet > most) {
      return Fail(ErrorCode::kUnsupported, options_.broker.ToString(),
                  "takes packets of {} bytes at most, and this one has {} (raise its "
                  "max_packet_size, or send less)",
                  most, packet);
    }
    return Send([&](MqttSession& s) { return s.Publish(topic, payload, qos, response_topic); });
  }
  Status Subscribe(const std::string& filter, int qos) override {
    return Send([&](MqttSession& s) { return s.Subscribe(filter, qos); });
  }
  Status Unsubscribe(const std::string& filter) override {
    return Send([&](MqttSession& s) { return s.Unsubscribe(filter); });
  }

  void Hold() override {
    const std::lock_guard lock(mutex_);
    ++holds_;
  }
  void Flush() override {
    bool rest = false;
    {
      const std::lock_guard lock(mutex_);
      if (--holds_ == 0 && connected_) rest = !WriteOut();
    }
    if (rest) Wake();
  }

  bool connected() const override { return connected_; }
  uint32_t most_packet() const override { return most_packet_; }
  size_t unsent_bytes() const override {
    const std::lock_guard lock(mutex_);
    return session_ == nullptr ? 0 : session_->unsent_bytes();
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    stopping_ = true;
    Wake();
    thread_.join();
  }

 private:
  /// Lets `say` put a packet into the session and writes it, from any thread.
  template <typename F>
  Status Send(const F& say) {
    bool rest = false;  // whether the socket took less than everything
    {
      const std::lock_guard lock(mutex_);
      if (!connected_) {
        return Fail(ErrorCode::kUnavailable, options_.broker.ToString(), "is not connected");
      }
      Status said = say(*session_);
      if (!said) {
        return Fail(said.error().code, options_.broker.ToString(), "{}", said.error().message);
      }
      if (holds_ == 0 || session_->Pending().size() > kMostHeld) rest = !WriteOut();
    }
    if (rest) Wake();
    return {};
  }

  /// Under the lock: as much of what is to be sent as the socket takes. Whether that was all; what
  /// went wrong is met by the link's own thread, too.
  bool WriteOut() {
    while (!session_->Pending().empty()) {
      const auto wrote = wire_->Write(session_->Pending());
      if (!wrote) {
        if (broken_) broken_ = tl::unexpected(wrote.error());
        return false;
      }
      if (*wrote == 0) return false;
      session_->Sent(*wrote, Now());
    }
    return true;
  }

  void Loop() {
    while (!stopping_) {
      const Status ended = Live();
      {
        const std::lock_guard lock(mutex_);
        if (connected_.exchange(false)) inbox_.Keep(LinkEvent::Kind::kDisconnected);
        wire_ = nullptr;
      }
      HandOn();
      if (stopping_) break;
      if (!ended) Lost(ended.error());
      WaitForStop(backoff_.Next());
    }
  }

  /// One connection from its first address to its end, which is never well.
  Status Live() {
    FOGLINE_TRY(std::unique_ptr<BrokerWire> wire, BrokerWire::Open(options_));
    FOGLINE_CHECK(Reach(*wire));
    {
      const std::lock_guard lock(mutex_);
      wire_ = std::move(wire);
      SessionListener& listener = *this;
      session_ = std::make_unique<MqttSession>(connect_, listener, Now());
      broken_ = Status();
      more_ = false;
      (void)WriteOut();
    }
    const Nanos deadline = Now() + kGreeting;
    while (!stopping_) {
      FOGLINE_CHECK(Turn());
      if (!connected_ && Now() > deadline) {
        return Fail(ErrorCode::kUnavailable, "", "does not answer as an MQTT broker");
      }
    }
    return Leave();
  }

  /// Until bytes can be sent. Sleeps in between, whatever the broker does or does not do.
  Status Reach(BrokerWire& wire) {
    int socket = -1;
    Nanos deadline{0};
    while (!stopping_) {
      FOGLINE_TRY(const bool there, wire.Connect());
      if (there) return {};
      if (wire.fd() != socket) deadline = Now() + kReaching;
      socket = wire.fd();
      if (Now() > deadline + (wire.events() == POLLOUT ? Nanos(0) : kGreeting)) {
        return Fail(ErrorCode::kUnavailable, "", "does not answer");
      }
      (void)Wait(wire, kIdleMs, wire.events());
    }
    return Fail(ErrorCode::kCancelled, "", "stopped");
  }

  /// Waits for the socket or a wake-up; whether there is something to read.
  bool Wait(const BrokerWire& wire, int most_ms, short events) {
    std::array<pollfd, 2> wait{{{wire.fd(), events, 0}, {wake_.get(), POLLIN, 0}}};
    if (poll(wait.data(), wait.size(), most_ms) < 0) return false;
    if (wait[1].revents != 0) ClearWake();
    return (wait[0].revents & ~POLLOUT) != 0;
  }

  Status Turn() {
    short events = POLLIN;
    {
      const std::lock_guard lock(mutex_);
      // What is held back goes out with its Flush.
      const bool writes = !session_->Pending().empty() && holds_ == 0;
      events = static_cast<short>(wire_->events() | (writes ? POLLOUT : 0));
    }
    // Where the last turn left something behind, TLS may have taken it off the socket already.
    const bool readable = Wait(*wire_, more_ ? 0 : kIdleMs, events);
    Status status;
    {
      const std::lock_guard lock(mutex_);
      if (more_ || readable) status = Read();
      if (status) status = session_->Tick(Now());
      if (status && !WriteOut() && !broken_) status = broken_;
      if (status && session_->standing()) connected_ = true;
    }
    HandOn();
    return status;
  }

  /// Takes bytes off the socket until it is empty or this turn has its fill.
  Status Read() {
    more_ = true;
    inbox_.BeginTurn();
    for (size_t taken = 0; taken < kMostBytesInTurn && inbox_.bytes() < kMostBytesInTurn;) {
      const auto space = session_->Space();
      FOGLINE_TRY(const size_t count, wire_->Read(space));
      if (count > 0) FOGLINE_CHECK(session_->Filled(count, Now()));
      taken += count;
      more_ = wire_->HasMore() || count == space.size();
      if (!more_) break;
    }
    return {};
  }

  /// Sends what was published, says good-bye and waits for the broker to have read it: a socket
  /// that is closed with something unread takes back what is on its way.
  Status Leave() {
    const Nanos give_up = Now() + kLeaving;
    const std::lock_guard lock(mutex_);
    if (!connected_) return {};
    session_->Disconnect();
    for (bool ended = false; Now() < give_up;) {
      if (!ended && WriteOut()) {
        wire_->EndWriting();
        ended = true;
      }
      FOGLINE_CHECK(broken_);
      pollfd wait{wire_->fd(), static_cast<short>(ended ? POLLIN : POLLIN | POLLOUT), 0};
      poll(&wait, 1, static_cast<int>((give_up - Now()) / 1ms) + 1);
      std::array<std::byte, 4096> unheard;
      FOGLINE_CHECK(wire_->Read(unheard));
    }
    return {};
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
    const Nanos end = Now() + most;
    for (Nanos now = Now(); !stopping_ && now < end; now = Now()) {
      pollfd wait{wake_.get(), POLLIN, 0};
      poll(&wait, 1, static_cast<int>((end - now) / 1ms) + 1);
      if (wait.revents != 0) ClearWake();
    }
  }

  /// Once per loss and reason, not once per try. A connection that fell at once was none: a broker
  /// that ends each soon after its beginning is neither hammered nor told of each time.
  void Lost(const Error& why) {
    if (connected_at_ != Nanos(0) && Now() - connected_at_ > kStood) {
      backoff_.Reset();
      said_lost_ = false;
    }
    connected_at_ = Nanos(0);
    if (said_lost_) return;
    const std::string about = why.where.empty() ? "" : why.where + ": ";
    LogWarning("broker {}: {}{}; trying again", options_.broker.ToString(), about, why.message);
    said_lost_ = true;
    said_back_ = false;
  }

  // What the session says, under the lock.

  void OnConnack(uint32_t most_packet) override {
    if (said_lost_ && !said_back_) {
      LogInfo("broker {}: connected", options_.broker.ToString());
      said_back_ = true;
    }
    most_packet_ = most_packet;
    connected_at_ = Now();
    inbox_.Keep(LinkEvent::Kind::kConnected);
  }

  void OnPuback(uint8_t reason) override {
    inbox_.Keep(reason < kUnspecified ? LinkEvent::Kind::kTaken : LinkEvent::Kind::kRefused);
    if (reason == kNobodySubscribed) {
      inbox_.Keep(LinkEvent::Kind::kNobodyListens);
    } else if (reason >= kUnspecified && !std::exchange(said_refused_, true)) {
      // Once: a broker that refuses one message refuses the others too.
      LogWarning("broker {}: refuses what is published here: {} (is this the certificate's name?)",
                 options_.broker.ToString(), ReasonText(reason));
    }
  }

  void OnSuback(uint8_t reason) override {
    if (reason < kUnspecified || std::exchange(said_deaf_, true)) return;
    LogWarning("broker {}: refuses a subscription: {}", options_.broker.ToString(),
               ReasonText(reason));
  }

  void OnUnsuback() override { inbox_.Keep(LinkEvent::Kind::kUnsubscribed); }
  void OnPublish(const Message& message) override { inbox_.Keep(message); }

  /// Tells the handler what was kept, without the lock.
  void HandOn() {
    {
      const std::lock_guard lock(mutex_);
      inbox_.Swap(told_);
    }
    told_.Tell(handler_, !stopping_);
  }

  LinkOptions options_;
  ConnectPacket connect_;
  LinkHandler& handler_;
  std::jthread thread_;
  const Descriptor wake_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  mutable std::mutex mutex_;
  std::atomic<bool> connected_{false}, stopping_{false};
  std::atomic<uint32_t> most_packet_{0};
  // Under mutex_; replaced by the link's own thread alone.
  std::unique_ptr<BrokerWire> wire_;
  std::unique_ptr<MqttSession> session_;
  Status broken_;  // how writing failed
  Inbox inbox_;    // whoever publishes may meet the connection's end
  int holds_ = 0;  // Hold without Flush
  // The link's own thread only, or what the session says to it:
  Inbox told_;
  bool more_ = false;  // the socket may hold more than the last turn took
  bool said_refused_ = false;
  bool said_deaf_ = false;
  bool said_back_ = false;
  Nanos connected_at_{0};  // 0: not connected since the last loss
  Backoff backoff_;
  bool said_lost_ = false;
};

}  // namespace

Result<std::unique_ptr<Link>> Link::Make(const LinkOptions& options, LinkHandler& handler) {
  auto link = std::make_unique<SessionLink>(options, handler);
  FOGLINE_CHECK(link->Open());
  return link;
}

}  // namespace fogline
