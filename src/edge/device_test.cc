// A device between a folder of pictures and a link without a network.
#include "edge/device.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <numeric>
#include <thread>

#include "base/file.h"
#include "frame/ack.h"
#include "frame/topics.h"
#include "vision/image.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// Answers every frame "stored", on a thread of its own, as long as it may.
class AnsweringLink final : public Link {
 public:
  struct Sent {
    uint64_t sequence = 0;
    int grey = 0;  // the mean of its picture
  };

  explicit AnsweringLink(LinkHandler& handler) : handler_(handler) {}
  ~AnsweringLink() override { Stop(); }

  void Start() override {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  void Hold() override {}
  void Flush() override {}
  Status Subscribe(const std::string&, int) override { return {}; }
  Status Unsubscribe(const std::string&) override { return {}; }
  bool connected() const override { return true; }
  uint32_t most_packet() const override { return 0; }
  size_t unsent_bytes() const override { return 0; }
  Status Publish(const std::string&, std::span<const std::byte> payload, int,
                 const std::string& response_topic) override {
    Frame frame;
    if (response_topic.empty() || !ParseFrame(payload, frame)) return {};
    Sent sent{frame.sequence, 0};
    if (!frame.payloads.empty()) {
      const auto picture = DecodeImage(frame.payloads[0].bytes, "frame");
      EXPECT_TRUE(picture);
      const auto& rgb = picture->rgb;
      sent.grey = std::accumulate(rgb.begin(), rgb.end(), 0) / static_cast<int>(rgb.size());
    }
    Ack ack;
    ack.run = frame.run;
    ack.sequence = frame.sequence;
    std::vector<std::byte> answer;
    WriteAck(ack, answer);
    const std::lock_guard lock(mutex_);
    if (!frame.payloads.empty()) sent_.push_back(sent);
    answers_.emplace_back(response_topic, std::move(answer));
    changed_.notify_all();
    return {};
  }

  void Answer(bool may) {
    const std::lock_guard lock(mutex_);
    may_ = may;
    changed_.notify_all();
  }
  std::vector<Sent> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  void Run() {
    handler_.OnConnected();
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || (may_ && !answers_.empty()); });
      if (stopping_) return;
      const auto [topic, bytes] = std::move(answers_.front());
      answers_.pop_front();
      lock.unlock();
      handler_.OnMessage({topic, bytes, {}});
      lock.lock();
    }
  }

  LinkHandler& handler_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Sent> sent_;
  std::deque<std::pair<std::string, std::vector<std::byte>>> answers_;
  bool may_ = true, stopping_ = false;
  std::thread thread_;
};

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network =
        LoadNetwork(std::filesystem::path(FOGLINE_SOURCE_DIR) / "models" / "litter.onnx");
    ASSERT_TRUE(network) << network.error().ToString();
    pool_ = std::make_unique<RoutePool>(*std::move(network), "");
    MechanismOptions cloud_only;
    cloud_only.cut = "cloud-only";
    const auto usual = pool_->Open(cloud_only);
    ASSERT_TRUE(usual) << usual.error().ToString();
    EXPECT_EQ(pool_->Open(cloud_only).value(), *usual) << "what is open is not opened again";
    options_.steering.usual = *usual;
    options_.source.name = dir_.path().string();
    options_.sender.device = "cam";
    options_.sender.make_link = [this](const LinkOptions&,
                                       LinkHandler& handler) -> Result<std::unique_ptr<Link>> {
      auto link = std::make_unique<AnsweringLink>(handler);
      link_ = link.get();
      link_->Answer(answers_);
      return link;
    };
  }

  /// Grey pictures, every other one of them large: picture n is GreyOf(n).
  void Draw(int pictures) {
    for (int n = 0; n < pictures; ++n) {
      const int side = n % 2 == 0 ? 1200 : 16;
      const Image image{side, side,
                        std::vector<uint8_t>(static_cast<size_t>(3 * side * side),
                                             static_cast<uint8_t>(GreyOf(n)))};
      std::vector<std::byte> jpeg;
      ASSERT_TRUE(EncodeJpeg(image, 95, jpeg));
      ASSERT_TRUE(WriteFile(dir_.path() / fmt::format("{:03}.jpg", n), jpeg));
    }
  }
  static int GreyOf(int n) { return 20 + 6 * n; }

  const TempDir dir_;
  std::unique_ptr<RoutePool> pool_;
  DeviceOptions options_;
  bool answers_ = true;
  AnsweringLink* link_ = nullptr;
};

TEST_F(DeviceTest, RoutesOfOneCutShareTheEngine) {
  EXPECT_EQ(pool_->prefixes(), 0U) << "the whole network in the cloud needs none";
  MechanismOptions half;
  half.cut = "split13";
  half.codec = "f16";
  MechanismOptions full = half;
  full.codec = "f32";
  const auto first = pool_->Open(half), second = pool_->Open(full);
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(pool_->prefixes(), 1U);
  MechanismOptions earlier = half;
  earlier.cut = "split10";
  ASSERT_TRUE(pool_->Open(earlier));
  EXPECT_EQ(pool_->prefixes(), 2U);
  // Each codes for itself.
  const Image grey{160, 160, std::vector<uint8_t>(3 * 160 * 160, 90)};
  Prepared coded[2];
  for (const size_t i : {0, 1}) {
    const auto mechanism = pool_->ForAThread(i == 0 ? *first : *second);
    ASSERT_TRUE(mechanism);
    ASSERT_TRUE((*mechanism)->Process(grey, coded[i]));
  }
  EXPECT_EQ(2 * coded[0].data.size(), coded[1].data.size());
}

TEST_F(DeviceTest, WhateverThreadsWorkOnThemPicturesGoInTheirOrder) {
  Draw(30);
  const std::string broken = "no picture";
  ASSERT_TRUE(WriteFile(dir_.path() / "014.jpg", broken));
  for (const int workers : {1, 4}) {
    options_.workers = workers;
    Device device(options_, *pool_, {});
    const Status ran = device.Run();
    ASSERT_TRUE(ran) << ran.error().ToString();
    const EdgeReport report = device.report();
    EXPECT_EQ(report.images, 29U);
    EXPECT_EQ(report.skipped, 1U);
    EXPECT_EQ(report.sent, 29U);
    EXPECT_EQ(report.stored, 29U);
    EXPECT_EQ(report.unplaced, 29U);
    EXPECT_EQ(report.unanswered, 0U);
    const auto sent = link_->sent();
    ASSERT_EQ(sent.size(), 29U);
    for (size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(sent[i].sequence, i);
      const int picture = static_cast<int>(i < 14 ? i : i + 1);
      EXPECT_NEAR(sent[i].grey, GreyOf(picture), 2) << i << " of " << workers;
    }
  }
}

TEST_F(DeviceTest, SeveralWorkersStopAtTheCountTogether) {
  Draw(3);
  options_.workers = 4;
  options_.source.loop = true;
  options_.count = 7;
  Device device(options_, *pool_, {});
  ASSERT_TRUE(device.Run());
  EXPECT_EQ(device.report().images, 7U);
  EXPECT_EQ(link_->sent().size(), 7U);
}

TEST_F(DeviceTest, OfTheNewestNoMoreAreTakenThanCanGo) {
  Draw(4);
  options_.workers = 3;
  options_.source.loop = true;
  options_.rate = 500;
  options_.count = 9;
  options_.steering.latest = true;
  options_.sender.window = 2;
  answers_ = false;
  Device device(options_, *pool_, {});
  std::thread running([&] { EXPECT_TRUE(device.Run()); });
  const auto until = [&](auto condition) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
  };
  until([&] { return device.report().images >= 2; });
  const uint64_t overtaken = device.report().overtaken;
  until([&] { return device.report().overtaken >= overtaken + 30; });
  EXPECT_GE(device.report().overtaken, overtaken + 30) << "the camera goes on";
  EXPECT_EQ(device.report().images, 2U) << "three workers, and places for two";
  link_->Answer(true);
  running.join();
  EXPECT_EQ(device.report().images, 9U);
  EXPECT_EQ(device.report().stored, 9U);
}

TEST_F(DeviceTest, AFolderThatIsNoneIsAnErrorAndItsReportSaysWhoseItIs) {
  options_.source.name = (dir_.path() / "gone").string();
  Device device(options_, *pool_, {});
  const Status ran = device.Run();
  ASSERT_FALSE(ran);
  EXPECT_EQ(device.report().device, "cam");
  EXPECT_EQ(device.report().mechanism, "cloud-only");
  EXPECT_EQ(link_, nullptr) << "no link is opened for it";
}

}  // namespace
}  // namespace fogline
