// The sender between a camera and a line that answers, refuses, asks for patience or takes nothing:
// a link without a network, so that every order of events can be brought about.
#include "edge/sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/file.h"
#include "frame/topics.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// Keeps what is published, for the test to answer.
class FakeLink final : public Link {
 public:
  explicit FakeLink(LinkHandler& handler) : handler_(handler) {}
  void Start() override {}
  void Stop() override {}
  void Hold() override {}
  void Flush() override {}
  Status Subscribe(const std::string&, int) override { return {}; }
  Status Unsubscribe(const std::string&) override { return {}; }
  bool connected() const override { return connected_; }
  uint32_t most_packet() const override { return most_packet_; }
  size_t unsent_bytes() const override { return 0; }
  Status Publish(const std::string& topic, std::span<const std::byte> payload, int qos,
                 const std::string& response_topic) override {
    if (!connected_) return Fail(ErrorCode::kUnavailable, "fake", "is not connected");
    const size_t packet = PublishBytes(topic.size(), response_topic.size(), payload.size(), qos);
    if (most_packet_ > 0 && packet > most_packet_) {
      return Fail(ErrorCode::kUnsupported, "fake", "takes {} bytes at most", most_packet_.load());
    }
    if (response_topic.empty()) return {};  // a hello
    const std::lock_guard lock(mutex_);
    Frame frame;
    EXPECT_TRUE(ParseFrame(payload, frame));
    frames_.push_back(frame);
    return {};
  }

  void Connect(uint32_t most_packet = 0) {
    most_packet_ = most_packet;
    connected_ = true;
    handler_.OnConnected();
  }
  void Disconnect() {
    connected_ = false;
    handler_.OnDisconnected();
  }
  void Answer(const Frame& frame, AckStatus status, const std::string& message = "") {
    Ack ack;
    ack.status = status;
    ack.run = frame.run;
    ack.sequence = frame.sequence;
    ack.message = message;
    std::vector<std::byte> bytes;
    WriteAck(ack, bytes);
    handler_.OnMessage({AckTopic(frame.device, frame.run), bytes, {}});
  }
  /// What was published since the last call, in its order.
  std::vector<Frame> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(frames_, {});
  }

 private:
  LinkHandler& handler_;
  std::atomic<bool> connected_{false};
  std::atomic<uint32_t> most_packet_{0};
  std::mutex mutex_;
  std::vector<Frame> frames_;  // without their payloads' bytes
};

/// Moves when the test says so; read by the sender's threads.
class TestClock final : public Clock {
 public:
  Nanos Steady() const override {
    const std::lock_guard lock(mutex_);
    readers_.insert(std::this_thread::get_id());
    return now_;
  }
  int64_t WallMicros() const override { return 0; }
  void Advance(Nanos by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }
  bool WasReadBy(std::thread::id thread) const {
    const std::lock_guard lock(mutex_);
    return readers_.contains(thread);
  }

 private:
  mutable std::mutex mutex_;
  Nanos now_ = 1000s;
  mutable std::set<std::thread::id> readers_;
};

template <typename F>
bool Until(F condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

constexpr uint64_t kOld = 11, kNew = 22;  // models

class SenderTest : public ::testing::Test {
 protected:
  void Start() {
    options_.device = "cam";
    options_.clock = &clock_;
    options_.make_link = [this](const LinkOptions&,
                                LinkHandler& handler) -> Result<std::unique_ptr<Link>> {
      auto link = std::make_unique<FakeLink>(handler);
      link_ = link.get();
      return link;
    };
    auto sender = Sender::Start(options_, [this](const Receipt& r) {
      const std::lock_guard lock(mutex_);
      deliveries_.push_back(r.delivery);
    });
    ASSERT_TRUE(sender) << sender.error().ToString();
    sender_ = *std::move(sender);
  }
  void WithSpool() {
    options_.spool.folder = dir_.path() / "spool";
    options_.spool.sync_after = 1h;
  }
  Status Send(uint64_t model = kOld, size_t bytes = 100) {
    Frame frame;
    frame.model = model;
    const std::vector<std::byte> data(bytes, std::byte{5});
    frame.payloads.push_back({Role::kThumbnail, 4, 90, DType::kU8, Shape{1, 1, 3}, data});
    return sender_->Send(frame, clock_.Steady(), false);
  }
  /// Waits for the next frame, which must be alone.
  Frame Next() {
    std::vector<Frame> frames;
    EXPECT_TRUE(Until([&] {
      for (Frame& frame : link_->Take()) frames.push_back(std::move(frame));
      return !frames.empty();
    }));
    EXPECT_EQ(frames.size(), 1U);
    return frames.empty() ? Frame{} : frames.front();
  }
  std::vector<AckStatus> Delivered() {
    const std::lock_guard lock(mutex_);
    std::vector<AckStatus> statuses;
    for (const Delivery& d : deliveries_) statuses.push_back(d.status);
    return statuses;
  }
  std::vector<std::filesystem::path> Dead() const {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(dir_.path() / "spool/dead", error)) {
      if (entry.path().extension() == ".frame") files.push_back(entry.path());
    }
    return files;
  }

  TempDir dir_;
  TestClock clock_;
  SenderOptions options_;
  std::mutex mutex_;
  std::vector<Delivery> deliveries_;
  std::unique_ptr<Sender> sender_;
  FakeLink* link_ = nullptr;
};

/// A wait of 80 minutes in 32 bits of microseconds would read as 8.
TEST_F(SenderTest, AWaitLongerThanItsFieldIsTheLongestNotAShortOne) {
  options_.window = 1;
  Start();
  link_->Connect();
  ASSERT_TRUE(Send());
  const Frame first = Next();
  std::thread camera([&] {
    Frame frame;
    EXPECT_TRUE(sender_->Send(frame, Nanos(0), false));
  });
  ASSERT_TRUE(Until([&] { return clock_.WasReadBy(camera.get_id()); }));  // its wait has begun
  clock_.Advance(80min);
  link_->Take();  // a repeat of the first
  link_->Answer(first, AckStatus::kStored);
  camera.join();
  EXPECT_EQ(Next().stages.window, UINT32_MAX);
}

/// What a frame would have told of earlier ones is told by the next when it cannot be sent.
TEST_F(SenderTest, TimesThatAFrameCouldNotTellAreToldByTheNext) {
  Start();
  link_->Connect();
  ASSERT_TRUE(Send());
  const Frame first = Next();
  clock_.Advance(7ms);
  link_->Answer(first, AckStatus::kStored);
  Frame bad;
  const std::vector<std::byte> nothing;
  bad.payloads.assign(Frame::kMaxPayloads + 1, {});
  EXPECT_FALSE(sender_->Send(bad, clock_.Steady(), false));
  ASSERT_TRUE(Send());
  const Frame next = Next();
  EXPECT_EQ(next.sequence, first.sequence + 1) << "no number is lost either";
  ASSERT_EQ(next.settled.size(), 1U);
  EXPECT_EQ(next.settled[0].network_us, 7000U);
  // One that is refused told nothing either.
  link_->Answer(next, AckStatus::kRefused, "frame: is nonsense");
  ASSERT_TRUE(Send());
  EXPECT_EQ(Next().settled.size(), 1U);
}

TEST_F(SenderTest, ARefusedFrameGoesToTheDeadLettersAndNowhereElse) {
  WithSpool();
  Start();
  link_->Connect();
  ASSERT_TRUE(Send());
  link_->Answer(Next(), AckStatus::kRefused, "frame: is nonsense");
  EXPECT_EQ(Delivered(), std::vector{AckStatus::kRefused});
  EXPECT_EQ(Dead().size(), 1U);
  EXPECT_EQ(sender_->counts().dead, 1U);
  EXPECT_EQ(sender_->counts().kept, 0U);
  EXPECT_EQ(sender_->Drain(0s), 0U);
}

/// What a device keeps or lost is told with its first frame and then every half minute.
TEST_F(SenderTest, NowAndThenAFrameTellsOfTheOthers) {
  WithSpool();
  Start();
  link_->Connect();
  ASSERT_TRUE(Send());
  const Frame first = Next();
  EXPECT_EQ(first.counts, (DeviceCounts{0, 0, 0}));
  link_->Answer(first, AckStatus::kRefused, "frame: is nonsense");
  ASSERT_TRUE(Send());
  EXPECT_FALSE(Next().counts);
  clock_.Advance(1s);
  ASSERT_TRUE(Send());
  EXPECT_FALSE(Next().counts);
  clock_.Advance(30s);
  link_->Take();  // repeats
  ASSERT_TRUE(Send());
  ASSERT_TRUE(Until([&] {
    for (const Frame& frame : link_->Take()) {
      if (frame.counts) return frame.counts == DeviceCounts{2, 1, 0};
    }
    return false;
  }));
}

TEST_F(SenderTest, WithoutADeadLetterFolderARefusedFrameIsStillCounted) {
  Start();
  link_->Connect();
  ASSERT_TRUE(Send());
  link_->Answer(Next(), AckStatus::kRefused, "frame: is nonsense");
  EXPECT_EQ(Delivered(), std::vector{AckStatus::kRefused});
  EXPECT_EQ(sender_->Drain(0s), 0U);
}

/// The spool's own copy is the last resort.
TEST_F(SenderTest, ARefusedFrameThatCannotBeBuriedStaysInTheSpool) {
  WithSpool();
  Start();
  link_->Connect();
  ASSERT_TRUE(WriteFile(dir_.path() / "spool/dead", "in the way"));
  ASSERT_TRUE(Send());
  link_->Answer(Next(), AckStatus::kRefused, "frame: is nonsense");
  EXPECT_EQ(Delivered(), std::vector{AckStatus::kRefused});
  EXPECT_EQ(sender_->counts().kept, 1U);
}

TEST_F(SenderTest, NotNowKeepsAFrameAndRepeatsItWithGrowingPatience) {
  options_.patience = 5s;
  options_.most_patience = 40s;
  for (const bool spool : {false, true}) {
    sender_ = nullptr;
    if (spool) WithSpool();
    Start();
    link_->Connect();
    ASSERT_TRUE(Send());
    Frame frame = Next();
    for (const Nanos wait : {5s, 10s, 20s, 40s, 40s}) {
      link_->Answer(frame, AckStatus::kRetry, "model 0b: is not in models/");
      clock_.Advance(wait);
      frame = Next();
      EXPECT_EQ(frame.sequence, 0U);
    }
    link_->Answer(frame, AckStatus::kStored);
    EXPECT_EQ(Delivered().back(), AckStatus::kStored);
    EXPECT_EQ(sender_->Drain(0s), 0U);
  }
}

/// A spool full of frames of an old model, and new ones behind them.
TEST_F(SenderTest, FramesThatWaitForAModelDoNotKeepThoseOfAnotherFromPassing) {
  WithSpool();
  options_.window = 4;
  Start();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Send(kOld));
  ASSERT_TRUE(Send(kNew));
  link_->Connect();
  size_t of_old = 0, waiting = 21;
  ASSERT_TRUE(Until([&] {
    for (const Frame& frame : link_->Take()) {
      const bool old = frame.model == kOld;
      of_old += old ? 1 : 0;
      link_->Answer(frame, old ? AckStatus::kRetry : AckStatus::kStored, "model 0b: not there");
    }
    return !Delivered().empty();
  })) << "the new one never passed";
  EXPECT_LE(of_old, 5U) << "one asks for all";
  // Live ones pass, too, and those of the old model do not.
  ASSERT_TRUE(Send(kOld));
  ASSERT_TRUE(Send(kNew));
  Frame live = Next();
  EXPECT_EQ(live.model, kNew);
  link_->Answer(live, AckStatus::kStored);
  ASSERT_TRUE(Until([&] { return sender_->counts().waiting == 21; }));
  EXPECT_EQ(sender_->counts().window, 0U);
  // The model comes: everything goes.
  clock_.Advance(1min);
  ASSERT_TRUE(Until([&] {
    for (const Frame& frame : link_->Take()) link_->Answer(frame, AckStatus::kStored);
    waiting = sender_->counts().kept;
    return waiting == 0;
  })) << waiting;
  EXPECT_EQ(Delivered().size(), 23U);
  EXPECT_TRUE(Dead().empty());
}

/// Said in CONNACK: a frame that is larger can never pass this broker, and blocks nothing.
TEST_F(SenderTest, AFrameLargerThanTheBrokerTakesIsADeadLetterAndFreesItsPlace) {
  for (const bool spool : {false, true}) {
    sender_ = nullptr;
    deliveries_.clear();
    if (spool) WithSpool();
    options_.window = 2;
    Start();
    link_->Connect(2000);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Send(kOld, 3000));
    ASSERT_TRUE(Send(kOld, 100));
    link_->Answer(Next(), AckStatus::kStored);
    EXPECT_EQ(std::ranges::count(Delivered(), AckStatus::kRefused), 5);
    EXPECT_EQ(std::ranges::count(Delivered(), AckStatus::kStored), 1);
    EXPECT_EQ(Dead().size(), spool ? 5U : 0U);
    EXPECT_EQ(sender_->Drain(0s), 0U);
  }
}

TEST_F(SenderTest, ABrokerWhosePacketLimitShrinksStopsNobody) {
  WithSpool();
  options_.window = 2;
  Start();
  link_->Connect();
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Send(kOld, 3000));
  link_->Disconnect();
  ASSERT_TRUE(Send(kOld, 100));
  link_->Take();
  link_->Connect(2000);
  link_->Answer(Next(), AckStatus::kStored);
  EXPECT_EQ(Dead().size(), 6U);
  EXPECT_EQ(sender_->counts().kept, 0U);
}

TEST_F(SenderTest, ABrokerThatTakesNoFrameOfThisRunIsSaidBeforeTheFirst) {
  Start();
  EXPECT_TRUE(sender_->CheckLimit(5000, 1ms)) << "nobody knows yet";
  link_->Connect(2000);
  EXPECT_TRUE(sender_->CheckLimit(1000, 1s));
  const Status never = sender_->CheckLimit(5000, 1s);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kUsage);
}

/// Too large for the spool at any time: it goes from memory, and does not wait for room for ever.
TEST_F(SenderTest, AFrameThatIsTooLargeForTheSpoolGoesFromMemory) {
  WithSpool();
  options_.spool.limit_bytes = SpoolOptions::kLeastBytes;
  Start();
  link_->Connect();
  ASSERT_TRUE(Send(kOld, 300'000));
  link_->Answer(Next(), AckStatus::kStored);
  EXPECT_EQ(Delivered(), std::vector{AckStatus::kStored});
  EXPECT_EQ(sender_->counts().unspooled, 1U);
}

}  // namespace
}  // namespace fogline
