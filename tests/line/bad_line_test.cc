// A line that stalls, breaks, repeats and reorders; a clock that jumps; more
// frames than the store can take. Every frame is stored once, with times that
// are true, in bounded memory.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <random>
#include <set>

#include "bench/mqtt_packets.h"
#include "frame/frame.h"
#include "frame/topics.h"
#include "store/forwarding_store.h"
#include "tests/line/line.h"
#include "tests/line/proxy.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

TEST_F(Line, ALineThatStallsAndBreaksCostsNothing) {
  Proxy proxy(broker_->port());
  ASSERT_NE(proxy.port(), 0);
  edge_broker_ = "mqtt://127.0.0.1:" + std::to_string(proxy.port());
  Process edge = StartEdge({"--cut", "split13", "--codec", "q4", "--loop", "--rate", "100",
                            "--device", "tunnel", "--drain", "60"});
  std::mt19937 random(5);
  for (int round = 0; round < Rounds(6); ++round) {
    const size_t stored = Stored("tunnel").size();
    ASSERT_TRUE(Until([&] { return Stored("tunnel").size() > stored; })) << round << "\n" << Log();
    proxy.Set(random() % 2 == 0 ? Proxy::Line::kStalled : Proxy::Line::kCut);
    // The spell is the scenario itself, not a wait for something to happen.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
    proxy.Set(Proxy::Line::kOpen);
  }
  edge.Signal(SIGINT);
  const auto report = Report(edge);
  EXPECT_EQ(status_, 0) << Log();
  EXPECT_GT(proxy.connections(), 1);
  ExpectEachOnce(Stored("tunnel"), report["sent"]);
}

TEST_F(Line, AWallClockThatJumpsTouchesNoDuration) {
  before_edge_ = {"env", "LD_PRELOAD=" JUMPING_CLOCK};
  const auto report = RunEdge(
      {"--cut", "split13", "--codec", "q4", "--loop", "--count", "60", "--device", "dizzy"});
  ASSERT_EQ(status_, 0) << Log();
  const auto rows = Stored("dizzy");
  ExpectEachOnce(rows, 60);
  // A picture's own EXIF time counts more than the clock, so that the clock
  // shows nowhere but here.
  EXPECT_LT(report["latency_ms"]["p95"].get<double>(), 60'000);
  for (const auto& row : rows) {
    for (const StageField& stage : kStages) {
      const float ms = row.detection.stages.*stage.time_ms;
      EXPECT_TRUE(std::isnan(ms) || (ms >= 0 && ms < 60'000)) << stage.name << " " << ms;
    }
  }
}

/// Publishes frames of its own making, as fast as the broker takes them: nothing queues up here.
class RawPublisher {
 public:
  explicit RawPublisher(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    Write(MqttPackets::Connect("publisher"));
  }
  ~RawPublisher() { close(fd_); }

  /// The device's own verdict, with a thumbnail of so many bytes.
  void Publish(const std::string& device, uint64_t model, uint64_t cut, uint64_t sequence,
               size_t thumbnail) {
    Frame frame;
    frame.device = device;
    frame.run = 1;
    frame.sequence = sequence;
    frame.model = model;
    frame.cut = cut;
    std::vector<std::byte> result, bytes;
    WriteResult({1, 0.5F, true, "litter", std::nullopt}, result);
    const std::vector<std::byte> picture(thumbnail);
    frame.payloads.push_back({Role::kResult, 0, 0, DType::kUndefined, {}, result});
    if (thumbnail > 0) {
      frame.payloads.push_back({Role::kThumbnail, 4, 70, DType::kU8, Shape{1, 1, 3}, picture});
    }
    ASSERT_TRUE(WriteFrame(frame, bytes));
    if (++id_ == 0) ++id_;
    Write(MqttPackets::Publish(FrameTopic(device), id_, AckTopic(device, 1), bytes));
  }

 private:
  void Write(const std::string& packet) {
    for (size_t done = 0; done < packet.size();) {
      const ssize_t n = send(fd_, packet.data() + done, packet.size() - done, MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      done += static_cast<size_t>(n);
    }
  }
  int fd_;
  uint16_t id_ = 0;
};

/// What an edge-only frame of the litter model names.
struct Names {
  uint64_t model = 0, cut = 0;
};
Names EdgeOnly() {
  const auto network = LoadNetwork(kModel);
  return {ShortId(network->model.hash()), ListCuts(network->model)->back().id};
}

TEST_F(Line, RepeatedAndReorderedFramesAreStoredOnce) {
  RunEdge({"--mechanism", "edge-only", "--device", "first"});  // the cloud listens by now
  const Names names = EdgeOnly();
  RawPublisher publisher(broker_->port());
  std::vector<uint64_t> order;
  for (uint64_t i = 0; i < 100; ++i) order.insert(order.end(), 3, i);
  std::shuffle(order.begin(), order.end(), std::mt19937(9));
  for (const uint64_t sequence : order) {
    publisher.Publish("echo", names.model, names.cut, sequence, 0);
  }
  ASSERT_TRUE(Until([&] { return cloud_->stats().duplicates >= 200; }));
  ExpectEachOnce(Stored("echo"), 100);
}

/// A store that takes nothing until it is told to.
class HeldStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    lock.unlock();
    return ForwardingStore::Put(batch, settlements);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = true;
};

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

/// A cloud of few places in front of a store that takes nothing yet.
class StuckStore : public Line {
 protected:
  void SetUp() override {
    Line::SetUp();
    cloud_->Stop();
    held_ = std::make_unique<HeldStore>(*store_);
    CloudOptions options;
    options.link.broker = *ParseBroker(broker_->url());
    options.models.folder = kModels;
    options.queue = kPlaces;
    options.queue_bytes = 4 << 20;
    options.most_bytes = kMostBytes;
    auto started = Cloud::Start(options, *held_, [] {});
    ASSERT_TRUE(started) << started.error().ToString();
    cloud_ = *std::move(started);
  }
  void TearDown() override {
    held_->Release();
    cloud_->Stop();
  }

  static constexpr size_t kPlaces = 16, kMostBytes = 1 << 20;
  std::unique_ptr<HeldStore> held_;
};

TEST_F(StuckStore, ABrokerThatDiesWithFullQueuesCostsNothing) {
  std::vector<Process> edges;
  // Each within its window in the cloud, all together more than there are places.
  for (const char* device : {"left", "middle", "right"}) {
    edges.push_back(StartEdge({"--cut", "split13", "--codec", "q4", "--loop", "--count", "100",
                               "--window", "40", "--drain", "60", "--device", device}));
  }
  ASSERT_TRUE(Until([&] { return cloud_->stats().waiting >= kPlaces; })) << Log();
  ASSERT_TRUE(broker_->Restart());
  held_->Release();
  for (Process& edge : edges) {
    const auto report = Report(edge);
    EXPECT_EQ(status_, 0) << Log();
    EXPECT_EQ(report["unanswered"], 0);
    ExpectEachOnce(Stored(report["device"]), 100);
  }
}

TEST_F(StuckStore, ADeviceThatFloodsLeavesPlacesToOthers) {
  const Names names = EdgeOnly();
  RawPublisher publisher(broker_->port());
  uint64_t sequence = 0;
  ASSERT_TRUE(Until([&] {
    publisher.Publish("honest", names.model, names.cut, sequence++, 0);
    return cloud_->stats().received > 0;
  }));
  // Many times what there are places for: had it them all, the broker would be held back.
  constexpr uint64_t kFlood = 50 * kPlaces, kWindow = 5 * kPlaces / 2;
  for (uint64_t i = 0; i < kFlood; ++i) {
    publisher.Publish("flood", names.model, names.cut, i, 0);
  }
  publisher.Publish("honest", names.model, names.cut, sequence, 0);
  publisher.Publish("large", names.model, names.cut, 0, 2 * kMostBytes);
  ASSERT_TRUE(Until([&] { return cloud_->unstored().contains("large"); }))
      << "the broker is held back, " << cloud_->stats().put_off << " put off";
  EXPECT_GE(cloud_->stats().put_off, kFlood - kWindow);
  EXPECT_LE(cloud_->held().window.frames, kWindow);
  EXPECT_FALSE(cloud_->unstored().contains("honest"));
  held_->Release();
  ASSERT_TRUE(Until([&] { return cloud_->held().window.frames == 0; }));
  EXPECT_EQ(Stored("honest").back().detection.sequence, sequence);
  EXPECT_EQ(Stored("flood").size(), kFlood - cloud_->stats().put_off);
}

TEST_F(StuckStore, AFloodWhileTheStoreIsStuckTakesBoundedMemoryAndIsStoredInTheEnd) {
  const Names names = EdgeOnly();
  RawPublisher publisher(broker_->port());
  // Nobody hears the first ones until the cloud has subscribed.
  uint64_t sequence = 0;
  ASSERT_TRUE(Until([&] {
    publisher.Publish("flood", names.model, names.cut, sequence, 0);
    return cloud_->stats().received > 0;
  }));
  constexpr size_t kFrames = 800,
                   kBytes = 250'000;  // 200 MB; the broker holds 256
  const double before = ResidentMegabytes();
  while (++sequence <= kFrames)
    publisher.Publish("flood", names.model, names.cut, sequence, kBytes);
  // Beyond a device's share of the queue the answer is "not now", so the cloud takes all of it.
  ASSERT_TRUE(Until([&] { return cloud_->stats().put_off > kFrames / 2; }))
      << cloud_->stats().put_off << " put off of " << cloud_->stats().received;
  EXPECT_LT(ResidentMegabytes() - before, 120) << "MB";
  held_->Release();
  // Each is stored, or its device was told "not now": nothing is lost silently.
  ASSERT_TRUE(Until([&] {
    return Stored("flood").size() + cloud_->stats().put_off >= kFrames + 1;
  })) << Stored("flood").size()
      << " stored, " << cloud_->stats().put_off << " put off";
  // As devices do, what was put off is sent again, within a device's share of the bytes.
  constexpr size_t kTogether = 3;
  std::set<uint64_t> left;
  for (uint64_t i = 0; i <= kFrames; ++i) left.insert(i);
  for (const auto& row : Stored("flood")) left.erase(row.detection.sequence);
  size_t stored = kFrames + 1 - left.size();
  while (!left.empty()) {
    for (size_t i = 0; i < kTogether && !left.empty(); ++i, ++stored) {
      publisher.Publish("flood", names.model, names.cut, *left.begin(), kBytes);
      left.erase(left.begin());
    }
    ASSERT_TRUE(Until([&] {
      return Stored("flood").size() >= stored && cloud_->held().window.frames == 0;
    })) << stored;
  }
  ExpectEachOnce(Stored("flood"), kFrames + 1);
}

}  // namespace
}  // namespace fogline
