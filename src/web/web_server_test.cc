// The server with real sockets: limits, slow and silent clients, streams.
#include "web/web_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "store/forwarding_store.h"
#include "store/store.h"

namespace fogline {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kPatienceMs = 20'000;

/// A client that does only what it is told.
class Client {
 public:
  explicit Client(uint16_t port, int receive_buffer = 0, int family = AF_INET)
      : fd_(socket(family, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 to6{};
    to6.sin6_family = AF_INET6;
    to6.sin6_port = htons(port);
    to6.sin6_addr = in6addr_loopback;
    connected_ = family == AF_INET
                     ? connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0
                     : connect(fd_, reinterpret_cast<sockaddr*>(&to6), sizeof(to6)) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(const std::string& text) {
    ASSERT_TRUE(connected_);
    (void)send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  void Get(const std::string& target, const std::string& more = "") {
    Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n");
  }
  /// Reads until `text` has come; false when the server ended the connection first, or at length.
  bool Until(const std::string& text) {
    while (received_.find(text) == std::string::npos) {
      if (!More()) return false;
    }
    return true;
  }
  /// Reads until the server ends the connection; false when it does not.
  bool UntilEnd() {
    while (More()) {
    }
    return ended_;
  }
  const std::string& received() const { return received_; }
  void Forget() { received_.clear(); }

 private:
  bool More() {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, kPatienceMs) != 1) return false;
    char buffer[65536];
    const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
    ended_ = got <= 0;
    if (got > 0) received_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }
  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() : store_(OpenStore("sqlite::memory:").value()) {}

  uint16_t Start() {
    auto server = WebServer::Start(options_, *store_);
    EXPECT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    return server_->port();
  }
  void Put(size_t count, size_t device_bytes = 3) {
    std::vector<Detection> batch(count);
    for (Detection& d : batch) {
      d.device = std::string(device_bytes, 'd');
      d.sequence = sequence_++;
    }
    ASSERT_TRUE(store_->Put(batch));
    server_->Notify();
  }

  WebOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<WebServer> server_;
  uint64_t sequence_ = 0;
};

TEST_F(WebServerTest, SaysWhereItIsAndRefusesAnAddressInUse) {
  const uint16_t port = Start();
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(port) + "/");
  WebOptions same;
  same.port = port;
  const auto second = WebServer::Start(same, *store_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().where, HasSubstr(std::to_string(port)));
  same.address = "no.such.host.invalid";
  const auto nowhere = WebServer::Start(same, *store_);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(nowhere.error().where, same.address);
}

TEST_F(WebServerTest, ServesAtANameAtAllOfItsAddresses) {
  options_.address = "localhost";
  const uint16_t port = Start();
  EXPECT_EQ(server_->url(), fmt::format("http://localhost:{}/", port));
  Client client(port);  // 127.0.0.1
  client.Get("/healthz");
  EXPECT_TRUE(client.Until("\"ok\""));
  Client stranger(port);  // and to no other names, as on any loopback address
  stranger.Send("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_TRUE(stranger.Until("HTTP/1.1 421"));
}

TEST_F(WebServerTest, ServesAtAnIpv6Address) {
  options_.address = "::1";
  auto server = WebServer::Start(options_, *store_);
  if (!server && server.error().message.find("cannot listen") != std::string::npos) {
    EXPECT_EQ(server.error().where, "[::1]:0");
    GTEST_SKIP() << "this machine has no IPv6: " << server.error().ToString();
  }
  ASSERT_TRUE(server);
  server_ = *std::move(server);
  const std::string host = fmt::format("[::1]:{}", server_->port());
  EXPECT_EQ(server_->url(), "http://" + host + "/");
  Client client(server_->port(), 0, AF_INET6);
  client.Send("GET /healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  EXPECT_TRUE(client.Until("\"ok\""));
}

// One function makes them: a stream is an answer like any other.
TEST_F(WebServerTest, AStreamHasTheHeadersThatEveryAnswerHas) {
  const uint16_t port = Start();
  const auto headers = [&](const std::string& target) {
    Client client(port);
    client.Get(target);
    EXPECT_TRUE(client.Until("\r\n\r\n"));
    std::set<std::string> lines;
    std::istringstream text(client.received().substr(0, client.received().find("\r\n\r\n")));
    for (std::string line; std::getline(text, line);) {
      lines.insert(line.substr(0, line.find_last_not_of('\r') + 1));
    }
    return lines;
  };
  const auto stream = headers("/api/events");
  for (const std::string& line : headers("/api/config")) {
    const bool own = line.starts_with("Content-Type:") || line.starts_with("Content-Length:") ||
                     line.starts_with("Connection:");
    EXPECT_TRUE(own || stream.contains(line)) << line;
  }
  EXPECT_TRUE(stream.contains("Content-Type: text/event-stream"));
  EXPECT_TRUE(stream.contains("Connection: close"));
  for (const std::string& line : stream) EXPECT_FALSE(line.starts_with("Content-Length")) << line;
}

TEST_F(WebServerTest, AnswersSeveralRequestsOnAConnection) {
  Client client(Start());
  client.Get("/healthz");
  client.Get("/healthz");  // sent before the first is answered
  client.Get("/nothing", "Connection: close\r\n");
  ASSERT_TRUE(client.UntilEnd());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.received(), HasSubstr("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(WebServerTest, AnswersHeadWithoutABody) {
  Client client(Start());
  client.Send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(client.UntilEnd());
  EXPECT_THAT(client.received(), HasSubstr("Content-Length: "));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\n"));
}

TEST_F(WebServerTest, RefusesWhatIsTooLargeOrNoRequest) {
  const uint16_t port = Start();
  const auto answer = [&](const std::string& request) {
    Client client(port);
    client.Send(request);
    EXPECT_TRUE(client.UntilEnd()) << request.substr(0, 40);
    return client.received().substr(0, 12);
  };
  const std::string head = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(answer(head + "X: " + std::string(20'000, 'x') + "\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(answer("GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n123456789"),
            "HTTP/1.1 413");
  EXPECT_EQ(answer("\x16\x03\x01 TLS? no\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(answer("GET / HTTP/9.9\r\n\r\n"), "HTTP/1.1 400");
  Client healthy(port);
  healthy.Get("/healthz");
  EXPECT_TRUE(healthy.Until("\"ok\""));
}

// A proxy may read one of two, and this server the other.
TEST_F(WebServerTest, WantsOneHost) {
  const uint16_t port = Start();
  for (const char* hosts : {"Host: localhost\r\nHost: evil.example\r\n",
                            "Host: localhost\r\nHost: localhost\r\n", ""}) {
    Client client(port);
    client.Send(std::string("GET /healthz HTTP/1.1\r\n") + hosts + "\r\n");
    EXPECT_TRUE(client.UntilEnd());
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 400")) << hosts;
  }
}

// Whoever does not take their answers has a bounded part of the memory; what is small is answered
// all the same.
TEST_F(WebServerTest, AnswersThatNobodyTakesAreBounded) {
  options_.answer_bytes = 4 << 20;
  const uint16_t port = Start();
  for (int i = 0; i < 10; ++i) Put(1000, 128);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 12; ++i) {  // some 4 MB each
    crowd.push_back(std::make_unique<Client>(port, 4096));
    crowd.back()->Get("/api/detections?limit=10000");
  }
  Client asks(port);
  do {  // until somebody was turned away
    asks.Forget();
    asks.Get("/metrics");
    ASSERT_TRUE(asks.Until("\r\n\r\n"));
    ASSERT_TRUE(asks.Until("}\n") || asks.Until("fogline_store_errors_total"));
  } while (asks.received().find("HTTP/1.1 503") == std::string::npos);
  Client health(port);
  health.Get("/healthz");
  EXPECT_TRUE(health.Until("\"ok\""));
  // Once they take what was begun, there is room again.
  size_t answered = 0;
  for (const auto& client : crowd) {
    ASSERT_TRUE(client->Until("}\n"));
    answered += client->received().starts_with("HTTP/1.1 200") ? 1 : 0;
    if (!client->received().starts_with("HTTP/1.1 200")) {
      EXPECT_THAT(client->received(), HasSubstr("Retry-After"));
    }
  }
  EXPECT_GE(answered, 1U);
  EXPECT_LT(answered, crowd.size());
  Client later(port);
  do {
    later.Forget();
    later.Get("/api/detections?limit=10000");
    ASSERT_TRUE(later.Until("}\n"));
  } while (later.received().starts_with("HTTP/1.1 503"));
  EXPECT_THAT(later.received(), StartsWith("HTTP/1.1 200"));
}

// Behind a proxy that was named, each of its visitors has a part of what there is.
TEST_F(WebServerTest, OneVisitorOfAProxyLeavesStreamsToOthers) {
  options_.max_streams = 32;  // two for one
  options_.proxies = {"127.0.0.1"};
  const uint16_t port = Start();
  std::vector<std::unique_ptr<Client>> streams;
  const auto ask = [&](const std::string& who) {
    streams.push_back(std::make_unique<Client>(port));
    streams.back()->Get("/api/events",
                        "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: " + who + "\r\n");
    EXPECT_TRUE(streams.back()->Until("\r\n\r\n"));
    return streams.back()->received().substr(0, 12);
  };
  EXPECT_EQ(ask("203.0.113.7"), "HTTP/1.1 200");
  EXPECT_EQ(ask("203.0.113.7"), "HTTP/1.1 200");
  EXPECT_EQ(ask("203.0.113.7"), "HTTP/1.1 503");
  EXPECT_EQ(ask("203.0.113.8"), "HTTP/1.1 200");
}

TEST_F(WebServerTest, EndsAConnectionThatDripsItsRequest) {
  options_.patience.first_request = milliseconds(50);
  Client client(Start());
  client.Send("GET / HTTP/1.1\r\nHost: local");
  EXPECT_TRUE(client.UntilEnd());
  EXPECT_EQ(client.received(), "");
}

TEST_F(WebServerTest, StreamsWhatIsStoredAndResumesAfterAnId) {
  const uint16_t port = Start();
  Put(3);
  Client live(port);
  live.Get("/api/events");
  ASSERT_TRUE(live.Until("event: hello"));
  Put(2);
  ASSERT_TRUE(live.Until("\"sequence\":4"));
  EXPECT_EQ(live.received().find("\"sequence\":2"), std::string::npos);

  Client later(port);
  later.Get("/api/events?after=" + store_->epoch() + "-1",
            "Last-Event-ID: " + store_->epoch() + "-3\r\n");  // the header is the newer of the two
  ASSERT_TRUE(later.Until("\"sequence\":4"));
  EXPECT_EQ(later.received().find("\"sequence\":2"), std::string::npos);
  EXPECT_NE(later.received().find("\"sequence\":3"), std::string::npos);
}

TEST_F(WebServerTest, KeepsASilentStreamAlive) {
  options_.patience.heartbeat = milliseconds(10);
  Client client(Start());
  client.Get("/api/events");
  ASSERT_TRUE(client.Until("\n:\n\n:\n\n"));
}

TEST_F(WebServerTest, DropsAClientThatDoesNotReadAndServesTheOthers) {
  options_.patience.writing =
      milliseconds(1000);  // the eager one must not seem lazy on a busy machine
  const uint16_t port = Start();
  Client lazy(port, 4096);
  lazy.Get("/api/events");
  ASSERT_TRUE(lazy.Until("event: hello"));
  Client eager(port);
  eager.Get("/api/events");
  ASSERT_TRUE(eager.Until("event: hello"));
  for (int i = 0; i < 20; ++i) Put(500, 128);
  ASSERT_TRUE(eager.Until("\"sequence\":9999,"));
  Client asks(port);
  do {  // until the server has lost its patience with the lazy one
    asks.Get("/metrics");
    ASSERT_TRUE(asks.Until("fogline_store_errors_total"));
    if (asks.received().find("fogline_streams_dropped_total 1\n") != std::string::npos) break;
    asks.Forget();
  } while (true);
}

TEST_F(WebServerTest, OpensOnlySoManyStreams) {
  options_.max_streams = 2;
  const uint16_t port = Start();
  Client one(port);
  Client two(port);
  Client three(port);
  one.Get("/api/events");
  two.Get("/api/events");
  ASSERT_TRUE(one.Until("hello"));
  ASSERT_TRUE(two.Until("hello"));
  three.Get("/api/events");
  ASSERT_TRUE(three.Until("\r\n\r\n"));
  EXPECT_THAT(three.received(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(three.received(), HasSubstr("Retry-After"));
}

/// Counts time lines only when it is told to.
class HeldStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                              size_t bins) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    return ForwardingStore::Timeline(filter, from_us, to_us, bins);
  }
  void Block(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void AwaitQuestion() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int waiting_ = 0;
};

// While a question takes as long as it likes, the health check answers, the page is served, and
// streams go on; what waits for its turn is bounded.
TEST_F(WebServerTest, WhatTakesLongHoldsUpNeitherHealthNorStreams) {
  HeldStore held(*store_);
  held.Block(true);
  options_.max_waiting = 3;
  server_ = WebServer::Start(options_, held).value();
  const uint16_t port = server_->port();
  Client live(port);
  live.Get("/api/events");
  ASSERT_TRUE(live.Until("event: hello"));
  Client slow(port);
  slow.Get("/api/timeline");
  held.AwaitQuestion();
  Client health(port);
  health.Get("/healthz");
  EXPECT_TRUE(health.Until("\"ok\""));
  health.Get("/");
  EXPECT_TRUE(health.Until("<!doctype html>"));
  Put(1);
  EXPECT_TRUE(live.Until("\"sequence\":0"));
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.push_back(std::make_unique<Client>(port));
    crowd.back()->Get("/api/hexagons");
  }
  EXPECT_TRUE(crowd.back()->Until("HTTP/1.1 503"));
  EXPECT_TRUE(crowd.back()->Until("Retry-After"));
  held.Block(false);
  EXPECT_TRUE(slow.Until("\"bins\""));
  EXPECT_TRUE(crowd.front()->Until("\"cells\""));
  server_.reset();  // before the store that it asks
}

TEST_F(WebServerTest, StopsWhileAQuestionIsBeingAnswered) {
  HeldStore held(*store_);
  held.Block(true);
  server_ = WebServer::Start(options_, held).value();
  Client slow(server_->port());
  slow.Get("/api/timeline");
  held.AwaitQuestion();
  std::thread stopping([this] { server_.reset(); });
  held.Block(false);
  stopping.join();
  EXPECT_TRUE(slow.UntilEnd());
}

TEST_F(WebServerTest, FindsRowsOfOtherProcessesByItself) {
  const uint16_t port = Start();
  Client client(port);
  client.Get("/api/events");
  ASSERT_TRUE(client.Until("hello"));
  Detection d;
  d.device = "elsewhere";
  ASSERT_TRUE(store_->Put(std::span(&d, 1)));  // nobody notifies
  EXPECT_TRUE(client.Until("elsewhere"));
}

TEST_F(WebServerTest, StopEndsEveryConnection) {
  Client client(Start());
  client.Get("/api/events");
  ASSERT_TRUE(client.Until("hello"));
  server_->Stop();
  server_->Notify();  // too late, and harmless
  server_.reset();
  EXPECT_TRUE(client.UntilEnd());
}

}  // namespace
}  // namespace fogline
