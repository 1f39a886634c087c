// Rows once more on MQTT, through a real broker that comes and goes.
#include "web/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "servers/local_broker.h"
#include "store/forwarding_store.h"

namespace fogline {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// Hears everything on a topic.
class TopicListener final : public LinkHandler {
 public:
  TopicListener(const LocalBroker& broker, std::string topic) : topic_(std::move(topic)) {
    LinkOptions options;
    options.broker = *ParseBroker(broker.url());
    options.name = "listener";
    link_ = *Link::Make(options, *this);
    link_->Start();
  }
  ~TopicListener() override { link_->Stop(); }

  void OnConnected() override {
    EXPECT_TRUE(link_->Subscribe(topic_, 1));
    const std::lock_guard lock(mutex_);
    ++connects_;
    changed_.notify_all();
  }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    const std::lock_guard lock(mutex_);
    heard_.push_back(json::parse(
        reinterpret_cast<const char*>(message.payload.data()),
        reinterpret_cast<const char*>(message.payload.data()) + message.payload.size()));
    changed_.notify_all();
  }
  bool Connected(int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [&] { return connects_ >= times; });
  }
  /// Once an id was heard: everything so far.
  std::vector<json> Until(uint64_t id) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 30s, [&] {
      return std::ranges::any_of(heard_, [&](const json& row) { return row["id"] == id; });
    });
    return heard_;
  }

 private:
  const std::string topic_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> heard_;
  int connects_ = 0;
  std::unique_ptr<Link> link_;
};

class PublisherTest : public ::testing::Test {
 protected:
  PublisherTest()
      : broker_(LocalBroker::Start().value()), store_(OpenStore("sqlite::memory:").value()) {}

  void Put(uint64_t first, uint64_t count) {
    std::vector<Detection> batch;
    for (uint64_t i = first; i < first + count; ++i) {
      Detection d;
      d.device = i % 3 == 0 ? "cam-a" : "cam-b";
      d.sequence = i;
      d.has_position = true;
      d.lat = 47.123456;
      d.lon = 8;
      d.label = "a \"label\"";
      batch.push_back(std::move(d));
    }
    ASSERT_TRUE(store_->Put(batch));
  }
  std::unique_ptr<Publisher> Publish(Store& store, const std::string& topic = "city/found") {
    PublisherOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.topic = topic;
    options.privacy.decimals = 2;
    auto publisher = Publisher::Start(options, store);
    EXPECT_TRUE(publisher) << publisher.error().ToString();
    return publisher ? *std::move(publisher) : nullptr;
  }
  /// Every id up to one, and each for the first time in order.
  static void ExpectAll(const std::vector<json>& heard, uint64_t last) {
    uint64_t newest = 0;
    for (const json& row : heard) {
      const uint64_t id = row["id"];
      if (id <= newest) continue;  // once more
      EXPECT_EQ(id, newest + 1);
      newest = id;
    }
    EXPECT_EQ(newest, last);
  }
  bool Marked(uint64_t id) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (store_->Mark("publish:city/found").value() < id) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(10ms);
    }
    return true;
  }

  std::unique_ptr<LocalBroker> broker_;
  std::unique_ptr<Store> store_;
};

TEST_F(PublisherTest, EveryRowComesInOrderAsTheMapShowsIt) {
  Put(0, 1200);
  TopicListener listener(*broker_, "city/found");
  ASSERT_TRUE(listener.Connected(1));
  const auto publisher = Publish(*store_);
  ExpectAll(listener.Until(1200), 1200);
  Put(1200, 30);
  publisher->Notify();
  const auto heard = listener.Until(1230);
  ExpectAll(heard, 1230);
  EXPECT_EQ(heard[0]["epoch"], store_->epoch());
  EXPECT_EQ(heard[0]["device"], "cam-a");
  EXPECT_EQ(heard[0]["label"], "a \"label\"");
  EXPECT_EQ(heard[0]["lat"], 47.12);
  ASSERT_TRUE(Marked(1230));
}

TEST_F(PublisherTest, GoesOnWhereTheBrokerHadAcknowledgedAfterARestart) {
  TopicListener listener(*broker_, "city/found");
  ASSERT_TRUE(listener.Connected(1));
  uint64_t stored = 0;
  for (int round = 1; round <= 4; ++round) {
    auto publisher = Publish(*store_);
    Put(stored, 700);
    stored += 700;
    publisher->Notify();
    listener.Until(stored - 699);
    publisher.reset();  // with most of them under way, or not yet published
  }
  auto publisher = Publish(*store_);
  ExpectAll(listener.Until(stored), stored);
  ASSERT_TRUE(Marked(stored));
  publisher.reset();
  // Another one finds nothing to do but what is new.
  const size_t before = listener.Until(stored).size();
  Put(stored, 1);
  publisher = Publish(*store_);
  EXPECT_EQ(listener.Until(stored + 1).size(), before + 1);
}

/// Who leads is the one that has published something.
TEST_F(PublisherTest, OfSeveralOnOneStoreOnePublishesAndAnotherGoesOn) {
  const auto leads = [](const Publisher& publisher) {
    for (const Metric& metric : publisher.Metrics()) {
      if (std::string_view(metric.name) == "fogline_publisher_leads") return metric.value == 1;
    }
    return false;
  };
  TopicListener listener(*broker_, "city/found");
  ASSERT_TRUE(listener.Connected(1));
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (int i = 0; i < 3; ++i) publishers.push_back(Publish(*store_));
  uint64_t stored = 0;
  for (int round = 0; round < 3; ++round) {
    Put(stored, 800);
    stored += 800;
    for (const auto& publisher : publishers) publisher->Notify();
    listener.Until(stored);
    ASSERT_TRUE(Marked(stored));
    EXPECT_EQ(std::ranges::count_if(publishers, [&](const auto& p) { return leads(*p); }), 1);
    // The one that leads ends in order, after everything was marked: the next begins behind it.
    std::erase_if(publishers, [&](const auto& p) { return leads(*p); });
  }
  const auto heard = listener.Until(stored);
  ExpectAll(heard, stored);
  EXPECT_EQ(heard.size(), stored) << "nothing twice";
}

/// One that hangs leads no longer than it said, and what it may still send does no harm.
TEST_F(PublisherTest, OneThatHangsIsFollowedByAnother) {
  struct Counting final : ForwardingStore {
    using ForwardingStore::ForwardingStore;
    Result<bool> Hold(const std::string& name, const std::string& holder,
                      std::chrono::milliseconds time) override {
      Result<bool> held = ForwardingStore::Hold(name, holder, time);
      if (held && !*held) refused = true;
      return held;
    }
    std::atomic<bool> refused{false};
  };
  FakeClock clock;
  store_ = OpenStore("sqlite::memory:", {.clock = &clock}).value();
  Counting store(*store_);
  ASSERT_EQ(store_->Hold("publish:city/found", "one that hangs", std::chrono::hours(1)), true);
  Put(0, 100);
  TopicListener listener(*broker_, "city/found");
  ASSERT_TRUE(listener.Connected(1));
  const auto publisher = Publish(store);
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!store.refused && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_TRUE(store.refused);
  EXPECT_EQ(store_->Mark("publish:city/found"), 0U);
  clock.Advance(std::chrono::hours(2));
  ExpectAll(listener.Until(100), 100);
}

TEST_F(PublisherTest, ABrokerThatRestartsGetsWhatItHadNotAcknowledged) {
  const auto publisher = Publish(*store_);
  for (int round = 1; round <= 2; ++round) {
    Put(static_cast<uint64_t>(round - 1) * 3000, 3000);
    publisher->Notify();
    ASSERT_TRUE(broker_->Restart());
    ASSERT_TRUE(Marked(static_cast<uint64_t>(round) * 3000));
  }
}

/// Rows that went before they were published are told of, and those behind them come.
TEST_F(PublisherTest, WhatWasForgottenFirstIsCounted) {
  Put(0, 300);
  ASSERT_TRUE(store_->SetMark("publish:city/found", 10));
  while (store_->Forget({.rows = 100}).value().more) {
  }
  TopicListener listener(*broker_, "city/found");
  ASSERT_TRUE(listener.Connected(1));
  testing::internal::CaptureStderr();
  const auto publisher = Publish(*store_);
  EXPECT_EQ(listener.Until(300).size(), 100U);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("190 detections were forgotten before"));
}

TEST_F(PublisherTest, WhatIsNoTopicIsRefused) {
  for (const std::string topic : {"", "a/+", "#", "$SYS/x", "fogline/v1/cam/frame"}) {
    PublisherOptions options;
    options.topic = topic;
    EXPECT_EQ(Publisher::Start(options, *store_).error().code, ErrorCode::kUsage) << topic;
  }
}

}  // namespace
}  // namespace fogline
