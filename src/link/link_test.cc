#include "link/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "link/backoff.h"
#include "link/broker.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST(Broker, AddressesAndErrors) {
  const auto plain = ParseBroker("mqtt://example.org");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->port, 1883);
  const auto full = ParseBroker("mqtts://me:secret@[::1]:8884");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 8884);
  EXPECT_EQ(full->password, "secret");
  EXPECT_EQ(full->ToString(), "mqtts://me@::1:8884");
  for (const char* bad :
       {"", "example.org", "http://x", "mqtt://", "mqtt://x:", "mqtt://x:0", "mqtt://x:99999"}) {
    EXPECT_FALSE(ParseBroker(bad)) << bad;
  }
}

TEST(Backoff, GrowsToItsCapAndSpreads) {
  Backoff a(100ms, 10s, 1), b(100ms, 10s, 2);
  bool differ = false;
  for (int i = 0; i < 100; ++i) {
    const Nanos wait = a.Next();
    EXPECT_GT(wait, 0ns);
    EXPECT_LE(wait, std::min<Nanos>(10s, 100ms * (int64_t{1} << std::min(i, 20))));
    differ |= wait != b.Next();
  }
  EXPECT_TRUE(differ);
  a.Reset();
  EXPECT_LE(a.Next(), 100ms);
}

/// Collects what happens and lets a test wait for it.
class Recorder : public LinkHandler {
 public:
  void OnConnected() override { Count(connects); }
  void OnDisconnected() override { Count(losses); }
  void OnNobodyListens() override { Count(unheard); }
  void OnMessage(const Message& m) override {
    {
      const std::lock_guard lock(mutex_);
      last_text.assign(reinterpret_cast<const char*>(m.payload.data()), m.payload.size());
      last_response = m.response_topic;
    }
    Count(messages);
  }
  bool Wait(const int& counter, int at_least) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return counter >= at_least; });
  }
  int connects = 0, losses = 0, unheard = 0, messages = 0;
  std::string last_text, last_response;

 private:
  void Count(int& counter) {
    const std::lock_guard lock(mutex_);
    ++counter;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Link, PublishesThroughARealBrokerAndSurvivesItsRestart) {
  auto broker = LocalBroker::Start();
  ASSERT_TRUE(broker) << broker.error().ToString();
  const auto options = [&](const char* id) {
    LinkOptions o;
    o.broker = *ParseBroker((*broker)->url());
    o.client_id = id;
    return o;
  };
  Recorder heard, sent;
  auto subscriber = Link::Make(options("subscriber"), heard);
  auto publisher = Link::Make(options("publisher"), sent);
  ASSERT_TRUE(subscriber && publisher);
  (*subscriber)->Start();
  (*publisher)->Start();
  ASSERT_TRUE(heard.Wait(heard.connects, 1) && sent.Wait(sent.connects, 1));

  ASSERT_TRUE((*publisher)->Publish("nobody/here", Bytes("x"), 1));
  EXPECT_TRUE(sent.Wait(sent.unheard, 1));

  ASSERT_TRUE((*subscriber)->Subscribe("a/+", 1));
  // A subscription is in force once something arrives: publish until it does.
  for (int i = 0; i < 100 && heard.messages == 0; ++i) {
    ASSERT_TRUE((*publisher)->Publish("a/b", Bytes("hello"), 1, "answer/here"));
    std::this_thread::sleep_for(10ms);
  }
  ASSERT_TRUE(heard.Wait(heard.messages, 1));
  EXPECT_EQ(heard.last_text, "hello");
  EXPECT_EQ(heard.last_response, "answer/here");

  ASSERT_TRUE((*broker)->Restart());
  EXPECT_TRUE(heard.Wait(heard.losses, 1) && sent.Wait(sent.losses, 1));
  EXPECT_TRUE(heard.Wait(heard.connects, 2) && sent.Wait(sent.connects, 2));
}

TEST(Link, StopsWhileItIsStillConnecting) {
  auto broker = LocalBroker::Start();
  ASSERT_TRUE(broker) << broker.error().ToString();
  for (int i = 0; i < 50; ++i) {
    Recorder handler;
    LinkOptions options;
    options.broker = *ParseBroker((*broker)->url());
    options.client_id = "hasty";
    auto link = Link::Make(options, handler);
    ASSERT_TRUE(link);
    (*link)->Start();
    (*link)->Stop();  // hangs for ever where it goes wrong
  }
}

TEST(Link, ABrokerThatIsNotThereIsNoErrorYet) {
  Recorder handler;
  LinkOptions options;
  options.broker = *ParseBroker("mqtt://127.0.0.1:1");
  options.client_id = "early";
  auto link = Link::Make(options, handler);
  ASSERT_TRUE(link);
  (*link)->Start();
  EXPECT_FALSE((*link)->connected());
  const auto published = (*link)->Publish("a", Bytes("x"), 1);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace fogline
