#include "edge/sender.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

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
  if (!options.spool.folder.empty()) {
    FOGLINE_TRY(sender->spool_, Spool::Open(options.spool, options.device));
  }
  sender->options_.link.client_id = fmt::format("fogline-{}-{:x}", options.device, sender->run_);
  FOGLINE_TRY(sender->link_, Link::Make(sender->options_.link, *sender));
  sender->Refill();
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
  while (spool_ == nullptr && window_.full()) {
    if (!Wait(lock)) {
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
    }
  }
  const Nanos now = Clock::Real().Steady();
  frame.stages.window = static_cast<uint32_t>((now - asked).count() / 1000);
  frame.device = options_.device;
  frame.run = run_;
  frame.sequence = next_sequence_++;
  frame.settled.clear();
  frame.settled.swap(settled_);

  InFlight flight;
  flight.bytes = Spare();
  FOGLINE_CHECK(json ? WriteJsonFrame(frame, flight.bytes) : WriteFrame(frame, flight.bytes));
  flight.run = frame.run;
  flight.sequence = frame.sequence;
  flight.started = started;
  json_ = json;
  bool direct = true;
  if (spool_ != nullptr) {
    FOGLINE_TRY(direct, Keep(lock, frame, flight));
  }
  if (direct) {
    const EdgeStages& e = frame.stages;
    flight.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                     Millis(e.window)};
    Add(std::move(flight));
    SendDue();
  } else {
    spare_.push_back(std::move(flight.bytes));
  }
  return {};
}

/// False when a stop is asked for.
bool Sender::Wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait_for(lock, kStopPoll);
  return !StopRequested();
}

bool Sender::WaitForRoom() {
  std::unique_lock lock(mutex_);
  while (window_.full()) {
    if (!Wait(lock)) return false;
  }
  return true;
}

Nanos Sender::Silence() const {
  const std::lock_guard lock(mutex_);
  return window_.empty() ? Nanos(0) : Clock::Real().Steady() - heard_;
}

/// Into the window; the mutex is held.
void Sender::Add(InFlight flight) {
  if (window_.empty()) heard_ = Clock::Real().Steady();
  window_.Add(std::move(flight));
}

/// Gives up what is past its deadline; the mutex is held.
void Sender::DropStale(Nanos now) {
  if (options_.deadline == Nanos(0)) return;
  while (auto flight = window_.RemoveOlder(now - options_.deadline)) {
    ++counts_.stale;
    spare_.push_back(std::move(flight->bytes));
    changed_.notify_all();
  }
}

/// Writes a frame to disk. True when it goes straight into the window as well, false when it waits
/// on disk, or when there was no room for it.
Result<bool> Sender::Keep(std::unique_lock<std::mutex>& lock, const Frame& frame,
                          InFlight& flight) {
  const SpoolFrame kept{frame.run, frame.sequence, flight.started, frame.stages, {}, {}};
  for (;;) {
    const bool direct = !window_.full() && spool_->counts().waiting == 0;
    const Status written = spool_->Append(kept, flight.bytes, direct, flight.place);
    if (written) return direct;
    if (direct) {
      if (counts_.unspooled++ == 0) {
        LogError("{}; frames go on from memory alone", written.error().ToString());
      }
      return true;
    }
    if (options_.spool.when_full != WhenFull::kWait) {
      if (counts_.dropped++ == 0) {
        LogError("{}; new frames are dropped", written.error().ToString());
      }
      return false;
    }
    if (!said_full_) LogWarning("{}; the camera waits", written.error().ToString());
    said_full_ = true;
    if (!Wait(lock)) {
      --next_sequence_;
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
    }
  }
}

/// Frames from the disk into free places of the window; the mutex is held.
void Sender::Refill() {
  if (spool_ == nullptr) return;
  while (!window_.full() && spool_->Take(next_kept_)) {
    SpoolFrame& kept = next_kept_;
    InFlight flight;
    flight.run = kept.run;
    flight.sequence = kept.sequence;
    flight.place = kept.place;
    flight.bytes = std::move(kept.bytes);
    kept.bytes = Spare();
    if (kept.run == run_) {
      flight.started = kept.started;
      const EdgeStages& e = kept.stages;
      const int64_t so_far = (Clock::Real().Steady() - kept.started).count() / 1000;
      const int64_t worked = int64_t{e.read} + e.resize + e.prefix + e.encode;
      const auto waited =
          static_cast<uint32_t>(std::clamp<int64_t>(so_far - worked, 0, UINT32_MAX));
      if (!json_) RestampWindow(waited, flight.bytes);
      flight.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                       Millis(waited)};
    }
    Add(std::move(flight));
  }
}

/// A buffer of a finished frame, or a fresh one; the mutex is held.
std::vector<std::byte> Sender::Spare() {
  if (spare_.empty()) return {};
  std::vector<std::byte> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
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
    return window_.only_here();
  };
  const size_t unanswered = wait();
  if (window_.empty() && !settled_.empty()) {
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
  flight.run = frame.run;
  flight.sequence = frame.sequence;
  flight.started = Clock::Real().Steady();
  closing_ = frame.sequence;
  window_.Add(std::move(flight));
  SendDue();
}

void Sender::RepeatLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto deadline = window_.Deadline();
    const Nanos now = Clock::Real().Steady();
    DropStale(now);
    // Everything new is sent by Send; what remains here is waiting for an answer.
    if (deadline && *deadline <= now && link_->connected()) {
      SendDue();
      continue;
    }
    Nanos wait = deadline && *deadline > now ? std::min<Nanos>(*deadline - now, 1s) : Nanos(1s);
    if (options_.deadline > Nanos(0)) wait = std::min<Nanos>(wait, options_.deadline / 4);
    changed_.wait_for(lock, wait);
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
  Refill();
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
  if (!ack) {
    LogDebug("{}: {}", message.topic, ack.error().ToString());
    return;
  }
  nobody_listens_ = false;
  unheard_.Reset();
  Delivery delivery;
  {
    const std::lock_guard lock(mutex_);
    heard_ = now;
    if (ack->status == AckStatus::kRetry) {
      window_.Defer(ack->run, ack->sequence, now);
      if (ack->message != last_refusal_) LogWarning("the cloud asks to wait: {}", ack->message);
      last_refusal_ = ack->message;
      return;
    }
    auto flight = window_.Remove(ack->run, ack->sequence);
    if (!flight) return;  // a second answer to a repeated frame
    if (closing_ == ack->sequence && ack->run == run_) {
      changed_.notify_all();
      return;
    }
    if (spool_ != nullptr) spool_->Done(flight->place);
    delivery.run = flight->run;
    delivery.sequence = flight->sequence;
    delivery.status = ack->status;
    delivery.recovered = flight->run != run_;
    delivery.stages = flight->stages;
    delivery.started = flight->started;
    delivery.sent = flight->last_sent;
    delivery.answered = now;
    delivery.total_ms = Millis(now - flight->started);
    delivery.bytes = flight->bytes.size();
    StageTimes& stages = delivery.stages;
    stages.queue = Millis(ack->stages.queue);
    stages.decode = Millis(ack->stages.decode);
    stages.suffix = Millis(ack->stages.suffix);
    stages.store = Millis(ack->stages.store);
    const auto round_trip_us = static_cast<uint64_t>((now - flight->last_sent).count() / 1000);
    // After a repeat nobody knows which sending was answered (Karn's rule).
    if (flight->sends == 1 && !delivery.recovered && round_trip_us >= ack->stages.total) {
      const auto network_us = static_cast<uint32_t>(round_trip_us - ack->stages.total);
      if (settled_.size() < Frame::kMaxSettled) settled_.push_back({ack->sequence, network_us});
      stages.network = Millis(network_us);
    }
    spare_.push_back(std::move(flight->bytes));
    Refill();
    SendDue();
    // Told before Drain can see an empty window, so that whoever drained has heard of everything.
    delivered_(delivery);
  }
  changed_.notify_all();
  if (ack->status == AckStatus::kRefused && ack->message != last_refusal_) {
    LogError("the cloud refuses frames: {}", ack->message);
    last_refusal_ = ack->message;
  }
}

SenderCounts Sender::counts() const {
  const std::lock_guard lock(mutex_);
  SenderCounts counts = counts_;
  counts.window = window_.count();
  counts.connected = link_->connected();
  if (spool_ != nullptr) {
    const SpoolCounts spool = spool_->counts();
    counts.dropped += spool.dropped;
    counts.recovered = spool.recovered;
    counts.kept = spool.waiting + spool.under_way;
    counts.kept_bytes = spool.bytes;
  }
  return counts;
}

}  // namespace fogline
