// Positions from a running gpsd (https://gpsd.io/gpsd_json.html).
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/host_port.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "edge/interruption.h"
#include "edge/locator.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr auto kFreshFor = 5s;
constexpr auto kLook = 50ms;  // how often a look-up looks whether it is still wanted
constexpr int kRetryMs = 2000, kConnectMs = 10'000;
constexpr size_t kLongestLine = 16384;
constexpr const char* kUsualPort = "2947";

struct Address {
  int family = 0, protocol = 0;
  sockaddr_storage address{};
  socklen_t length = 0;
};

std::vector<Address> LookUp(const std::string& host, const std::string& port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  std::vector<Address> addresses;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return addresses;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Address& address = addresses.emplace_back();
    address.family = a->ai_family;
    address.protocol = a->ai_protocol;
    address.length = a->ai_addrlen;
    std::memcpy(&address.address, a->ai_addr, a->ai_addrlen);
  }
  freeaddrinfo(found);
  return addresses;
}

/// Nothing can end a look-up of a name: it runs on a thread that nobody waits for once a stop is
/// wanted, and which then finds only its own answer to write to.
std::vector<Address> LookUp(const std::string& host, const std::string& port,
                            const Interruption& stop) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<std::vector<Address>> addresses;
  };
  const auto answer = std::make_shared<Answer>();
  std::jthread([answer, host, port] {
    auto addresses = LookUp(host, port);
    const std::lock_guard lock(answer->mutex);
    answer->addresses = std::move(addresses);
    answer->changed.notify_all();
  }).detach();
  std::unique_lock lock(answer->mutex);
  while (!answer->addresses) {
    if (stop.set() || StopRequested()) return {};
    answer->changed.wait_for(lock, kLook);
  }
  return *std::move(answer->addresses);
}

/// A connected socket that does not block, or none.
Descriptor Connect(const Address& a, const Interruption& stop) {
  Descriptor to(socket(a.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a.protocol));
  if (!to) return to;
  bool there = connect(to.get(), reinterpret_cast<const sockaddr*>(&a.address), a.length) == 0;
  if (!there && errno == EINPROGRESS &&
      stop.Wait(to.get(), POLLOUT, kConnectMs) == Interruption::Wake::kReady) {
    int error = 0;
    socklen_t length = sizeof(error);
    there = getsockopt(to.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
  }
  return there ? std::move(to) : Descriptor();
}

class Gpsd final : public Locator {
 public:
  Gpsd(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
    thread_ = std::jthread([this] { Loop(); });
  }
  ~Gpsd() override { stop_.Set(); }

  std::optional<Position> At(int64_t) override {
    const std::lock_guard lock(mutex_);
    if (!fix_ || Clock::Real().Steady() - fix_time_ > kFreshFor) return std::nullopt;
    return fix_;
  }

 private:
  void Loop() {
    bool said = false;
    while (!stop_.set()) {
      Descriptor server;
      for (const Address& address : LookUp(host_, port_, stop_)) {
        if (!server) server = Connect(address, stop_);
      }
      if (server) {
        said = false;
        Listen(server.get());
        server.Close();
      }
      if (stop_.Wait(-1, 0, 0) == Interruption::Wake::kStopped) return;
      if (!said) LogWarning("gpsd {}:{}: no answer; trying again", host_, port_);
      said = true;
      if (stop_.Wait(-1, 0, kRetryMs) == Interruption::Wake::kStopped) return;
    }
  }

  void Listen(int fd) {
    static constexpr std::string_view kWatch = "?WATCH={\"enable\":true,\"json\":true};\n";
    if (send(fd, kWatch.data(), kWatch.size(), MSG_NOSIGNAL) < 0) return;
    std::string text;
    std::array<char, 4096> buffer{};
    while (stop_.Wait(fd, POLLIN, -1) == Interruption::Wake::kReady) {
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0) return;
      text.append(buffer.data(), static_cast<size_t>(n));
      for (size_t end; (end = text.find('\n')) != text.npos; text.erase(0, end + 1)) {
        if (const auto fix = ParseGpsdLine(std::string_view(text).substr(0, end))) {
          const std::lock_guard lock(mutex_);
          fix_ = fix;
          fix_time_ = Clock::Real().Steady();
        }
      }
      if (text.size() > kLongestLine) return;
    }
  }

  std::string host_, port_;
  Interruption stop_;
  std::mutex mutex_;
  std::optional<Position> fix_;  // under mutex_
  Nanos fix_time_{0};            // under mutex_
  std::jthread thread_;
};

}  // namespace

std::optional<Position> ParseGpsdLine(std::string_view line) {
  const Json json = ParseJson(line, "gpsd").value_or(Json());
  if (!json.is_object() || !json.contains("class") || json["class"] != "TPV") return std::nullopt;
  const auto number = [&](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number() ? it->get<double>()
                                               : std::numeric_limits<double>::quiet_NaN();
  };
  if (!(number("mode") >= 2)) return std::nullopt;
  Position position;
  position.lat = number("lat");
  position.lon = number("lon");
  position.accuracy_m = static_cast<float>(number("eph"));
  position.heading_deg = static_cast<float>(number("track"));
  if (!IsValid(position)) return std::nullopt;
  return position;
}

Result<std::unique_ptr<Locator>> GpsdLocator(const std::string& address) {
  if (!address.empty() && address.find(':') == address.npos) {
    return std::make_unique<Gpsd>(address, kUsualPort);
  }
  auto at = ParseHostPort(address);
  if (!at) return Fail(ErrorCode::kUsage, "--gpsd " + address, "{}", at.error().message);
  return std::make_unique<Gpsd>(std::move(at->host), std::to_string(at->port));
}

}  // namespace fogline
