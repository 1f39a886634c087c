// A broker that is not one: real edges and a real cloud connect to a socket that answers with what
// the link's fuzzer knows, changed at random. None of them dies of it, and all is stored once a
// good broker listens there.
#include <poll.h>

#include <random>

#include "tests/line/http.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

namespace fs = std::filesystem;

/// Listens on a port until it is destroyed. One thread, one connection after the other.
class HostileBroker {
 public:
  HostileBroker() : port_(FreePort()), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    for (const auto& file :
         fs::directory_iterator(fs::path(FOGLINE_SOURCE_DIR) / "fuzz/corpus/link")) {
      said_.push_back(ReadTextFile(file.path()).value_or(""));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    thread_ = std::jthread([this](const std::stop_token& stop) { Serve(stop); });
  }
  ~HostileBroker() {
    thread_.request_stop();
    thread_.join();
    close(listener_);
  }

  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wait{listener_, POLLIN, 0};
      if (poll(&wait, 1, 20) <= 0) continue;
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      Talk(fd);
      const linger at_once{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      close(fd);
      ++connections_;
    }
  }

  /// Hears the client out, says something, and waits a moment for what it makes of that.
  void Talk(int fd) {
    char heard[4096];
    if (!Waits(fd, 500) || recv(fd, heard, sizeof(heard), 0) <= 0) return;
    std::string text;
    // A session that stands is told more.
    if (random_() % 4 != 0) text = std::string("\x20\x03\x00\x00\x00", 5);
    for (size_t i = 0; i <= random_() % 3; ++i) text += Changed(said_[random_() % said_.size()]);
    for (size_t at = 0; at < text.size();) {
      const size_t piece = std::min<size_t>(1 + random_() % 512, text.size() - at);
      if (send(fd, text.data() + at, piece, MSG_NOSIGNAL) < 0) return;
      at += piece;
    }
    while (Waits(fd, 50) && recv(fd, heard, sizeof(heard), 0) > 0) {
    }
  }
  static bool Waits(int fd, int milliseconds) {
    pollfd wait{fd, POLLIN, 0};
    return poll(&wait, 1, milliseconds) > 0;
  }

  std::string Changed(std::string text) {
    for (size_t i = 0; i < random_() % 5 && !text.empty(); ++i) {
      const size_t at = random_() % text.size();
      const auto byte = static_cast<char>(random_() % 256);
      switch (random_() % 4) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1);
          break;
        default:
          text.resize(at);
      }
    }
    return text;
  }

  const int port_, listener_;
  std::vector<std::string> said_;
  std::mt19937 random_{std::random_device{}()};
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

class BadBroker : public Reliability {};

TEST_F(BadBroker, NothingThatABrokerSaysEndsAnEdgeOrACloud) {
  constexpr int kDevices = 8;
  constexpr uint64_t kPicturesEach = 3;
  broker_.reset();
  auto hostile = std::make_unique<HostileBroker>();
  const int port = hostile->port();
  edge_broker_ = "mqtt://127.0.0.1:" + std::to_string(port);
  auto started = Process::Start(
      {.command = {FOGLINE_BINARY, "cloud", "--json", "--broker", edge_broker_, "--models",
                   kModels.string(), "--store", "sqlite:" + (dir_.path() / "test.db").string()},
       .capture_stdout = true,
       .stderr_to = dir_.path() / "cloud.log"});
  ASSERT_TRUE(started) << started.error().ToString();
  Process cloud = *std::move(started);
  std::vector<std::string> flags{
      "--mechanism", "edge-only", "--report", "all",     "--count",
      "3",           "--drain",   "120",      "--spool", SpoolOf("spool").string()};
  for (int i = 1; i < kDevices; ++i) {
    flags.insert(flags.end(), {"--source", "d" + std::to_string(i) + "=" + kPictures.string()});
  }
  Process edge = StartEdge(flags, "d0=" + kPictures.string());
  const int connections = Rounds(80);
  ASSERT_TRUE(Until([&] {
    return hostile->connections() >= connections || !edge.Running() || !cloud.Running();
  }));
  EXPECT_TRUE(edge.Running()) << Log();
  EXPECT_TRUE(cloud.Running()) << ReadTextFile(dir_.path() / "cloud.log").value_or("");
  hostile.reset();
  auto good = LocalBroker::Start(port);
  ASSERT_TRUE(good) << good.error().ToString();
  Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  for (int i = 0; i < kDevices; ++i) {
    EXPECT_EQ(Stored("d" + std::to_string(i)).size(), kPicturesEach);
  }
  EXPECT_EQ(cloud.Stop(), 0);
  std::printf("%d connections to a hostile broker\n", connections);
}

}  // namespace
}  // namespace fogline
