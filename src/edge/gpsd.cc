// Positions from a running gpsd (https://gpsd.io/gpsd_json.html).
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "edge/locator.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr auto kFreshFor = 5s;
constexpr auto kRetry = 2s;
constexpr size_t kLongestLine = 16384;

int Connect(const std::string& host, const std::string& port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int fd = -1;
  for (const addrinfo* a = found; a != nullptr && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  return fd;
}

class Gpsd final : public Locator {
 public:
  Gpsd(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {
    thread_ = std::thread([this] { Loop(); });
  }
  ~Gpsd() override {
    stopping_ = true;
    wake_.notify_all();
    thread_.join();
  }

  std::optional<Position> At(int64_t) override {
    const std::lock_guard lock(mutex_);
    if (!fix_ || Clock::Real().Steady() - fix_time_ > kFreshFor) return std::nullopt;
    return fix_;
  }

 private:
  void Loop() {
    bool said = false;
    while (!stopping_) {
      const int fd = Connect(host_, port_);
      if (fd >= 0) {
        said = false;
        Listen(fd);
        close(fd);
      }
      if (!said && !stopping_) LogWarning("gpsd {}:{}: no answer; trying again", host_, port_);
      said = true;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kRetry, [this] { return stopping_.load(); });
    }
  }

  void Listen(int fd) {
    static constexpr std::string_view kWatch = "?WATCH={\"enable\":true,\"json\":true};\n";
    if (send(fd, kWatch.data(), kWatch.size(), MSG_NOSIGNAL) < 0) return;
    std::string text;
    std::array<char, 4096> buffer{};
    while (!stopping_) {
      pollfd wanted{fd, POLLIN, 0};
      if (poll(&wanted, 1, 200) == 0) continue;
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
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
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Position> fix_;
  Nanos fix_time_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

std::optional<Position> ParseGpsdLine(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
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
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon),
              port = colon == address.npos ? "2947" : address.substr(colon + 1);
  if (host.empty() || port.empty())
    return Fail(ErrorCode::kUsage, "--gpsd " + address, "is no host:port");
  return std::make_unique<Gpsd>(std::move(host), std::move(port));
}

}  // namespace fogline
