#include "edge/sender.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/process.h"
#include "frame/json_frame.h"
#include "frame/topics.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How often a waiting Send looks whether a stop was asked for.
constexpr auto kStopPoll = 100ms;

uint64_t RandomRun() {
  uint64_t run = 0;
  while (getrandom(&run, sizeof(run), 0) != sizeof(run)) {
  }
  // SQLite and JSON readers keep 63-bit integers exactly.
  return run >> 1;
}

float Ms(uint32_t us) { return static_cast<float>(us) / 1000.0F; }

}  // namespace

Sender::Sender(const SenderOptions& options, std::function<void(const Delivery&)> delivered)
    : options_(options),
      delivered_(std::move(delivered)),
      run_(RandomRun()),
      frame_topic_(FrameTopic(options.device)),
      ack_topic_(AckTopic(options.device, run_)),
      hello_topic_(HelloTopic(options.device)),
      window_(options.window, options.patience, options.most_patience),
      unheard_(100ms, options.patience, run_) {}

Result<std::unique_ptr<Sender>> Sender::Start(const SenderOptions& options,
                                              std::function<void(const Delivery&)> delivered) {
  if (!IsDeviceName(options.device)) {
    return Fail(ErrorCode::kUsage, "--device " + options.device,
                "is no device name: use 1 to {} of A-Z a-z 0-9 . _ -", Frame::kMaxDeviceName);
  }
  auto sender = std::unique_ptr<Sender>(new Sender(options, std::move(delivered)));
  sender->options_.link.client_id = fmt::format("fogline-{}-{:x}", options.device, sender->run_);
  FOGLINE_TRY(sender->link_, Link::Make(sender->options_.link, *sender));
  sender->link_->Start();
  sender->repeater_ = std::thread([s = sender.get()] { s->RepeatLoop(); });
  return sender;
}

Sender::~Sender() {
  if (link_ != nullptr) link_->Stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (repeater_.joinable()) repeater_.join();
}

Status Sender::Send(Frame& frame, Nanos started, bool json) {
  const Nanos asked = Clock::Real().Steady();
  std::unique_lock lock(mutex_);
  while (window_.full()) {
    changed_.wait_for(lock, kStopPoll);
    if (StopRequested())
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
  }
  const Nanos now = Clock::Real().Steady();
  frame.stages.window = static_cast<uint32_t>((now - asked).count() / 1000);
  frame.device = options_.device;
  frame.run = run_;
  frame.sequence = next_sequence_++;
  frame.settled.clear();
  frame.settled.swap(settled_);

  InFlight flight;
  if (!spare_.empty()) {
    flight.bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  FOGLINE_CHECK(json ? WriteJsonFrame(frame, flight.bytes) : WriteFrame(frame, flight.bytes));
  flight.sequence = frame.sequence;
  flight.started = started;
  const EdgeStages& e = frame.stages;
  flight.stages = {Ms(e.read), Ms(e.resize), Ms(e.prefix), Ms(e.encode), Ms(e.window)};
  window_.Add(std::move(flight));
  SendDue();
  return {};
}

/// Publishes what is due; the mutex is held. Errors are not reported: the frame stays in the window
/// and its patience runs.
void Sender::SendDue() {
  if (!link_->connected()) return;
  const Nanos now = Clock::Real().Steady();
  while (InFlight* frame = window_.NextDue(now)) {
    window_.Sent(*frame, now);
    if (!link_->Publish(frame_topic_, frame->bytes, 1, ack_topic_)) break;
  }
}

size_t Sender::Drain(Nanos patience) {
  const Nanos end = Clock::Real().Steady() + patience;
  std::unique_lock lock(mutex_);
  const auto wait = [&] {
    while (!window_.empty() && Clock::Real().Steady() < end) changed_.wait_for(lock, kStopPoll);
    return window_.count();
  };
  const size_t unanswered = wait();
  if (unanswered == 0 && !settled_.empty()) {
    TellSettled();
    (void)wait();
  }
  return unanswered;
}

/// A frame without payloads, repeated like any other until it is answered; the mutex is held.
void Sender::TellSettled() {
  Frame frame;
  frame.device = options_.device;
  frame.run = run_;
  frame.sequence = next_sequence_++;
  frame.settled.swap(settled_);
  InFlight flight;
  if (!WriteFrame(frame, flight.bytes)) return;  // too few and too short to fail
  flight.sequence = frame.sequence;
  closing_ = frame.sequence;
  window_.Add(std::move(flight));
  SendDue();
}

void Sender::RepeatLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto deadline = window_.Deadline();
    const Nanos now = Clock::Real().Steady();
    // Everything new is sent by Send; what remains here is waiting for an answer.
    if (deadline && *deadline <= now && link_->connected()) {
      SendDue();
    } else {
      changed_.wait_for(
          lock, deadline && *deadline > now ? std::min<Nanos>(*deadline - now, 1s) : Nanos(1s));
    }
  }
}

void Sender::OnConnected() {
  for (const std::string& topic : {ack_topic_, hello_topic_}) {
    if (const Status status = link_->Subscribe(topic, 1); !status)
      LogWarning("{}", status.error().ToString());
  }
  const std::string hello = fmt::format("{:016x}", run_);
  (void)link_->Publish(hello_topic_, std::as_bytes(std::span(hello)), 1);
  const std::lock_guard lock(mutex_);
  window_.EverythingIsDue();
  changed_.notify_all();
}

void Sender::OnDisconnected() { nobody_listens_ = false; }

void Sender::OnNobodyListens() {
  if (!nobody_listens_)
    LogWarning("{}: no cloud worker listens; frames wait here until one does", frame_topic_);
  nobody_listens_ = true;
  // A worker that restarts is back within moments; one that is away for long is not hammered.
  const std::lock_guard lock(mutex_);
  window_.Hasten(Clock::Real().Steady(), unheard_.Next());
  changed_.notify_all();
}

void Sender::OnMessage(const Message& message) {
  const Nanos now = Clock::Real().Steady();
  if (message.topic == hello_topic_) {
    const std::string_view run(reinterpret_cast<const char*>(message.payload.data()),
                               message.payload.size());
    const std::string mine = fmt::format("{:016x}", run_);
    if (run == mine || said_twin_) return;
    said_twin_ = true;
    LogWarning(
        "another device runs under the name '{}': both are stored, but give one of them another "
        "--device",
        options_.device);
    // The newcomer has not heard us: say it once more, for it.
    (void)link_->Publish(hello_topic_, std::as_bytes(std::span(mine)), 1);
    return;
  }
  const auto ack = ParseAck(message.payload);
  if (!ack || ack->run != run_) {
    LogDebug("{}: {}", message.topic, ack ? "answers another run" : ack.error().ToString());
    return;
  }
  nobody_listens_ = false;
  unheard_.Reset();
  Delivery delivery;
  {
    const std::lock_guard lock(mutex_);
    if (ack->status == AckStatus::kRetry) {
      window_.Defer(ack->sequence, now);
      if (ack->message != last_refusal_) LogWarning("the cloud asks to wait: {}", ack->message);
      last_refusal_ = ack->message;
      return;
    }
    auto flight = window_.Remove(ack->sequence);
    if (!flight) return;  // a second answer to a repeated frame
    if (closing_ == ack->sequence) {
      changed_.notify_all();
      return;
    }
    delivery = {flight->sequence, ack->status, flight->stages, Millis(now - flight->started),
                flight->bytes.size()};
    StageTimes& stages = delivery.stages;
    stages.queue = Ms(ack->stages.queue);
    stages.decode = Ms(ack->stages.decode);
    stages.suffix = Ms(ack->stages.suffix);
    stages.store = Ms(ack->stages.store);
    const auto round_trip_us = static_cast<uint64_t>((now - flight->last_sent).count() / 1000);
    // After a repeat nobody knows which sending was answered (Karn's rule).
    if (flight->sends == 1 && round_trip_us >= ack->stages.total) {
      const auto network_us = static_cast<uint32_t>(round_trip_us - ack->stages.total);
      if (settled_.size() < Frame::kMaxSettled) settled_.push_back({ack->sequence, network_us});
      stages.network = Ms(network_us);
    }
    spare_.push_back(std::move(flight->bytes));
    // Told before Drain can see an empty window, so that whoever drained has heard of everything.
    delivered_(delivery);
  }
  changed_.notify_all();
  if (ack->status == AckStatus::kRefused && ack->message != last_refusal_) {
    LogError("the cloud refuses frames: {}", ack->message);
    last_refusal_ = ack->message;
  }
}

}  // namespace fogline
