// fogline cloud --publish: what is stored comes once more on MQTT, in order, whoever dies.
#include <map>
#include <random>

#include "link/link.h"
#include "servers/local_postgres.h"
#include "tests/line/reliability.h"

namespace fogline {
namespace {

/// Hears what is published once more, with a session of its own beside everybody who dies.
class StreamListener final : private LinkHandler {
 public:
  StreamListener(const std::string& broker, std::string topic) : topic_(std::move(topic)) {
    LinkOptions options;
    options.broker = *ParseBroker(broker);
    options.name = "stream-listener";
    link_ = *Link::Make(options, *this);
    link_->Start();
    EXPECT_TRUE(Until([&] { return subscribed_.load(); }));
  }
  ~StreamListener() override { link_->Stop(); }

  std::vector<nlohmann::json> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  uint64_t newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

 private:
  void OnConnected() override { subscribed_ = link_->Subscribe(topic_, 1).has_value(); }
  void OnDisconnected() override {}
  void OnMessage(const Message& message) override {
    const auto* text = reinterpret_cast<const char*>(message.payload.data());
    const std::lock_guard lock(mutex_);
    heard_.push_back(nlohmann::json::parse(text, text + message.payload.size()));
    newest_ = std::max(newest_, heard_.back()["id"].get<uint64_t>());
  }

  const std::string topic_;
  std::unique_ptr<Link> link_;
  std::atomic<bool> subscribed_{false};
  mutable std::mutex mutex_;
  std::vector<nlohmann::json> heard_;
  uint64_t newest_ = 0;
};

class PublishLine : public Reliability {
 protected:
  Process PublishingCloud(const std::string& store) {
    auto started = Process::Start({.command = {FOGLINE_BINARY, "cloud", "--broker", broker_->url(),
                                               "--models", kModels.string(), "--store", store,
                                               "--workers", "1", "--publish", "city/detections"},
                                   .capture_stdout = false,
                                   .stderr_to = dir_.path() / "cloud.log"});
    EXPECT_TRUE(started) << started.error().ToString();
    return *std::move(started);
  }
  /// So many workers on one store, each of which publishes, one of them killed now and then.
  void PublishAndDie(const std::string& store, size_t count);
};

void PublishLine::PublishAndDie(const std::string& store, size_t count) {
  const StreamListener listener(broker_->url(), "city/detections");
  std::vector<Process> clouds;
  for (size_t i = 0; i < count; ++i) clouds.push_back(PublishingCloud(store));
  Process edge = StartSpooling("streaming", {"--loop", "--rate", "60", "--window", "32"});
  std::mt19937 random(5);
  for (int round = 0; round < Rounds(3); ++round) {
    const uint64_t wanted = listener.newest() + 3 + random() % 20;
    ASSERT_TRUE(Until([&] { return listener.newest() >= wanted; })) << Log();
    Process& cloud = clouds[static_cast<size_t>(round) % count];
    Kill(cloud);
    cloud = PublishingCloud(store);
  }
  edge.Signal(SIGINT);
  Report(edge);
  Finish("streaming");
  std::map<uint64_t, StoredDetection> stored;
  for (auto& row : Stored("streaming")) stored.emplace(row.id, row);
  ASSERT_FALSE(stored.empty());
  const uint64_t last = stored.rbegin()->first;
  ASSERT_TRUE(Until([&] { return listener.newest() >= last; }));
  const auto heard = listener.heard();
  auto next = stored.begin();  // in the order of ids, repeats aside
  for (const auto& row : heard) {
    const uint64_t id = row["id"];
    if (next != stored.end() && id == next->first) ++next;
    ASSERT_TRUE(next == stored.end() || id < next->first) << id << " before " << next->first;
    const Detection& d = stored.at(id).detection;
    EXPECT_EQ(row["run"], fmt::format("{:016x}", d.run));
    EXPECT_EQ(row["sequence"], d.sequence);
    EXPECT_EQ(row["epoch"], store_->epoch());
  }
  EXPECT_TRUE(next == stored.end()) << "never heard of " << next->first;
  std::printf("%d deaths of %zu clouds; %zu rows, heard %zu times\n", Rounds(3), count,
              stored.size(), heard.size());
  for (Process& cloud : clouds) EXPECT_EQ(cloud.Stop(), 0);
}

TEST_F(PublishLine, EveryRowIsHeardInOrderThoughTheCloudDies) {
  PublishAndDie("sqlite:" + (dir_.path() / "test.db").string(), 1);
}

/// Whoever of the two publishes, the other goes on when it dies.
TEST_F(PublishLine, EveryRowIsHeardInOrderThoughOneOfTwoThatPublishDies) {
  const auto server = LocalPostgres::Start().value();
  store_ = OpenStore(server->url()).value();
  PublishAndDie(server->url(), 2);
  store_.reset();  // before its server
}

}  // namespace
}  // namespace fogline
