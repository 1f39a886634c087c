#include "lab/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/process.h"
#include "base/random.h"
#include "frame/ack.h"
#include "frame/json_frame.h"
#include "frame/topics.h"
#include "link/link.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr size_t kConnections = 4;
/// Sending times are kept for so many frames; what is older counts as lost.
constexpr size_t kRemembered = 1 << 18;
/// The generator stops offering when so many seconds of frames are unanswered: the step has failed.
constexpr double kHopelessSeconds = 3;
constexpr auto kSettle = 1s;
constexpr auto kDrain = 20s;  // a step begins with empty queues

double Seconds(Nanos t) { return std::chrono::duration<double>(t).count(); }

/// A connection that only sends.
class Connected : public LinkHandler {
 public:
  void OnConnected() override { up_ = true; }
  void OnDisconnected() override { up_ = false; }
  void OnMessage(const Message&) override {}
  bool up() const { return up_; }

 private:
  std::atomic<bool> up_{false};
};

class LoadGeneratorImpl final : public LoadGenerator, private LinkHandler {
 public:
  explicit LoadGeneratorImpl(std::vector<LoadFrame> frames)
      : frames_(std::move(frames)), sent_at_(kRemembered) {}

  ~LoadGeneratorImpl() override {
    for (const auto& link : links_) link->Stop();
    if (listener_ != nullptr) listener_->Stop();
  }

  Status Open(const std::string& broker) {
    run_ = RandomBits() >> 1;
    LinkOptions options;
    options.receive_maximum = 65535;
    FOGLINE_TRY(options.broker, ParseBroker(broker));
    for (Connected& sender : senders_) {
      options.name = "fogline-load";
      FOGLINE_TRY(auto link, Link::Make(options, sender));
      links_.push_back(std::move(link));
    }
    options.name = "fogline-load";
    FOGLINE_TRY(listener_, Link::Make(options, *this));
    for (const auto& link : links_) link->Start();
    listener_->Start();
    const Nanos deadline = Clock::Real().Steady() + 10s;
    const auto all_up = [this] {
      return listening_ && std::ranges::all_of(senders_, [](const Connected& s) { return s.up(); });
    };
    while (!all_up()) {
      if (Clock::Real().Steady() > deadline) {
        return Fail(ErrorCode::kUnavailable, broker, "does not answer the load generator");
      }
      std::this_thread::sleep_for(2ms);
    }
    return {};
  }

  Result<LoadStep> Step(double devices, double seconds,
                        const std::function<void()>& mark) override {
    LoadStep step;
    step.devices = devices;
    Reset();
    const Nanos start = Clock::Real().Steady();
    const Nanos counted_from = start + kSettle;
    const Nanos end = counted_from + Nanos(static_cast<int64_t>(seconds * 1e9));
    uint64_t sent = 0, sent_before = 0, answered_before = 0;
    bool counting = false;
    Nanos last = start;
    for (Nanos now = start; now < end; now = Clock::Real().Steady()) {
      if (StopRequested()) return Fail(ErrorCode::kCancelled, "load", "stopped");
      if (!counting && now >= counted_from) {
        counting = true;
        sent_before = sent;
        answered_before = answered_;
        last = now;
        CountFromHere();
        mark();
      }
      const auto due = static_cast<uint64_t>(Seconds(now - start) * devices);
      if (static_cast<double>(sent - answered_) > std::max(64.0, kHopelessSeconds * devices)) break;
      if (sent < due) {
        for (const auto& link : links_) link->Hold();
        Status status;
        for (; status && sent < due; ++sent) status = SendOne(sent, devices);
        for (const auto& link : links_) link->Flush();
        FOGLINE_CHECK(status);
      }
      std::this_thread::sleep_for(500us);
    }
    if (!counting) mark();  // hopeless from the start
    mark();
    const Nanos stop = Clock::Real().Steady();
    step.backlog = sent - answered_;
    const double lasted = std::max(1e-3, Seconds(stop - last));
    step.sent_per_second = static_cast<double>(sent - sent_before) / lasted;
    step.stored_per_second = static_cast<double>(answered_ - answered_before) / lasted;
    TakeSamples(step);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kDrain, [&] { return answered_ >= sent; });
    base_ += sent;
    return step;
  }

 private:
  void OnConnected() override {
    listening_ = listener_->Subscribe(AckTopic("+", run_), 0).has_value();
  }
  void OnDisconnected() override {}

  void OnMessage(const Message& message) override {
    const Nanos now = Clock::Real().Steady();
    const auto ack = ParseAck(message.payload);
    if (!ack || ack->run != run_) return;
    const std::lock_guard lock(mutex_);
    if (ack->sequence < base_) return;  // of a step that was given up
    ++answered_;
    if (counting_ && samples_.size() < kRemembered) {
      samples_.push_back({Millis(now - sent_at_[ack->sequence % kRemembered]), ack->stages});
    }
    if (answered_ % 64 == 0) changed_.notify_all();
  }

  void Reset() {
    const std::lock_guard lock(mutex_);
    answered_ = 0;
    counting_ = false;
    samples_.clear();
  }
  void CountFromHere() {
    const std::lock_guard lock(mutex_);
    counting_ = true;
  }

  Status SendOne(uint64_t n, double devices) {
    const uint64_t sequence = base_ + n;
    const auto device =
        static_cast<uint64_t>(n % std::max<uint64_t>(1, static_cast<uint64_t>(devices)));
    LoadFrame& made = frames_[sequence % frames_.size()];
    made.frame.device = fmt::format("load-{:06}", device);
    made.frame.run = run_;
    made.frame.sequence = sequence;
    FOGLINE_CHECK(made.json ? WriteJsonFrame(made.frame, bytes_) : WriteFrame(made.frame, bytes_));
    const size_t connection = device % links_.size();
    {
      const std::lock_guard lock(mutex_);
      sent_at_[sequence % kRemembered] = Clock::Real().Steady();
    }
    return links_[connection]->Publish(FrameTopic(made.frame.device), bytes_, 1,
                                       AckTopic(made.frame.device, run_));
  }

  void TakeSamples(LoadStep& step) {
    const std::lock_guard lock(mutex_);
    const auto summary = [this](auto value_of) {
      std::vector<double> values;
      values.reserve(samples_.size());
      for (const Sample& s : samples_) values.push_back(value_of(s));
      return Summarize(values);
    };
    step.latency_ms = summary([](const Sample& s) { return s.latency_ms; });
    step.queue_ms = summary([](const Sample& s) { return s.stages.queue / 1e3; });
    step.decode_ms = summary([](const Sample& s) { return s.stages.decode / 1e3; });
    step.suffix_ms = summary([](const Sample& s) { return s.stages.suffix / 1e3; });
    step.store_ms = summary([](const Sample& s) { return s.stages.store / 1e3; });
  }

  struct Sample {
    double latency_ms;
    CloudStages stages;
  };

  std::vector<LoadFrame> frames_;
  uint64_t run_ = 0;
  uint64_t base_ = 0;  // frames of earlier steps
  std::vector<std::byte> bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool counting_ = false;              // under mutex_
  std::atomic<uint64_t> answered_{0};  // of this step
  std::vector<Sample> samples_;        // under mutex_
  std::vector<Nanos> sent_at_;         // under mutex_
  std::array<Connected, kConnections> senders_;
  std::vector<std::unique_ptr<Link>> links_;  // one a sender
  std::atomic<bool> listening_{false};
  std::unique_ptr<Link> listener_;  // hears all answers
};

}  // namespace

Result<std::unique_ptr<LoadGenerator>> LoadGenerator::Start(const std::string& broker,
                                                            std::vector<LoadFrame> frames) {
  auto generator = std::make_unique<LoadGeneratorImpl>(std::move(frames));
  FOGLINE_CHECK(generator->Open(broker));
  return generator;
}

}  // namespace fogline
