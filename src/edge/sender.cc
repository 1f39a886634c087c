#include "edge/sender.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

#include "base/log.h"
#include "base/process.h"
#include "frame/answer.h"
#include "frame/head.h"
#include "frame/json_frame.h"
#include "frame/topics.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How often a waiting Send looks whether a stop was asked for.
constexpr auto kStopPoll = 100ms;
/// Frames read from disk in one go, while others wait for the sender.
constexpr int kMostRead = 256;

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
      aside_(options.patience, options.most_patience),
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
    FOGLINE_TRY(sender->dead_,
                DeadLetters::Open(options.spool.folder / "dead", options.dead_limit_bytes));
  }
  sender->options_.link.client_id = fmt::format("fogline-{}-{:x}", options.device, sender->run_);
  FOGLINE_TRY(sender->link_, options.make_link(sender->options_.link, *sender));
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

Status Sender::CheckLimit(size_t least_bytes, Nanos patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return link_->connected() || StopRequested(); });
  const size_t most = link_->most_packet();
  const size_t packet = PublishBytes(frame_topic_.size(), ack_topic_.size(), least_bytes, 1);
  if (!link_->connected() || most == 0 || packet <= most) return {};
  return Fail(ErrorCode::kUsage, options_.link.broker.ToString(),
              "takes packets of {} bytes at most, and no frame of this run has less than {}: give "
              "another --codec or --cut, or raise the broker's max_packet_size",
              most, packet);
}

Status Sender::Send(Frame& frame, Nanos started, bool json) {
  const Nanos asked = Now();
  std::unique_lock lock(mutex_);
  while (spool_ == nullptr && window_.full()) {
    if (!Wait(lock)) {
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
    }
  }
  frame.stages.window = Micros(Now() - asked);
  frame.device = options_.device;
  frame.run = run_;
  frame.sequence = next_sequence_;
  frame.settled.clear();
  frame.settled.swap(settled_);
  Status entered = Enter(lock, frame, started, json);
  if (entered) {
    ++next_sequence_;
  } else {
    Untell(frame.settled);
  }
  return entered;
}

/// Into the window, to the disk, or both.
Status Sender::Enter(std::unique_lock<std::mutex>& lock, Frame& frame, Nanos started, bool json) {
  InFlight flight;
  flight.bytes = Spare();
  FOGLINE_CHECK(json ? WriteJsonFrame(frame, flight.bytes) : WriteFrame(frame, flight.bytes));
  flight.run = frame.run;
  flight.sequence = frame.sequence;
  flight.needs = {frame.model, frame.cut, frame.bundle};
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
    if (SendDue()) Pump();
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
  return window_.empty() ? Nanos(0) : Now() - heard_;
}

/// Into the window; the mutex is held.
void Sender::Add(InFlight flight) {
  if (window_.empty()) heard_ = Now();
  window_.Add(std::move(flight));
}

/// Gives up what is past its deadline; the mutex is held.
void Sender::DropStale(Nanos now) {
  if (options_.deadline == Nanos(0)) return;
  while (auto flight = window_.RemoveOlder(now - options_.deadline)) {
    ++counts_.stale;
    Untell(*flight);
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
    const bool direct =
        !window_.full() && spool_->counts().waiting == 0 && !aside_.Waits(flight.needs);
    const Status written = spool_->Append(kept, flight.bytes, direct, flight.place);
    if (written) return direct;
    // What the disk will never take needs a place in the window, no room on the disk.
    const bool never = written.error().code == ErrorCode::kUnsupported;
    if (direct || (never && !window_.full())) {
      if (counts_.unspooled++ == 0) {
        LogError("{}; frames go on from memory alone", written.error().ToString());
      }
      return true;
    }
    if (!never && options_.spool.when_full != WhenFull::kWait) {
      if (counts_.dropped++ == 0) {
        LogError("{}; new frames are dropped", written.error().ToString());
      }
      Untell(frame.settled);
      return false;
    }
    if (!said_full_) LogWarning("{}; the camera waits", written.error().ToString());
    said_full_ = true;
    if (!Wait(lock)) {
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
    }
  }
}

/// Everything that can go now goes; the mutex is held. True when more waits to be read from disk.
bool Sender::Pump() {
  bool more = false;
  do {
    more = Refill();
  } while (SendDue());
  return more;
}

/// Frames from the disk into free places of the window; the mutex is held. True when it stopped
/// with more to read.
bool Sender::Refill() {
  if (spool_ == nullptr) return false;
  const Nanos now = Now();
  int reads = 0;
  for (; !window_.full() && reads < kMostRead; ++reads) {
    const auto asked = aside_.Next(now);
    if (asked) {
      if (const Status back = spool_->TakeBack(asked->place, next_kept_); !back) {
        const bool gone = back.error().code == ErrorCode::kNotFound;
        if (gone) aside_.Gone(asked->needs, asked->place, now);
        if (!gone) aside_.PutBack(*asked, now);
        if (!gone && News(back.error().ToString())) LogError("{}", back.error().ToString());
        continue;
      }
    } else if (!spool_->Take(next_kept_)) {
      return false;
    }
    InFlight flight = FromDisk(next_kept_);
    if (!asked && aside_.Waits(flight.needs)) {
      aside_.Add(flight.needs, flight.place);
      spool_->SetAside(flight.place);
      next_kept_.bytes = std::move(flight.bytes);
      continue;
    }
    flight.not_now = asked ? asked->times : 0;
    next_kept_.bytes = Spare();
    Add(std::move(flight));
  }
  return reads == kMostRead;
}

/// Takes the bytes of what was read; the mutex is held.
InFlight Sender::FromDisk(SpoolFrame& kept) {
  InFlight flight;
  flight.run = kept.run;
  flight.sequence = kept.sequence;
  flight.place = kept.place;
  flight.bytes = std::move(kept.bytes);
  if (const auto head = ReadFrameHead(flight.bytes)) {
    flight.needs = {head->model, head->cut, head->bundle};
  }
  if (kept.run == run_) {
    flight.started = kept.started;
    const EdgeStages& e = kept.stages;
    const auto worked = std::chrono::microseconds(int64_t{e.read} + e.resize + e.prefix + e.encode);
    const uint32_t waited = Micros(Now() - kept.started - worked);
    if (!json_) RestampWindow(waited, flight.bytes);
    flight.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                     Millis(waited)};
  }
  return flight;
}

/// A buffer of a finished frame, or a fresh one; the mutex is held.
std::vector<std::byte> Sender::Spare() {
  if (spare_.empty()) return {};
  std::vector<std::byte> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

/// Publishes what is due; the mutex is held. What fails now stays in the window and its patience
/// runs. True when places became free, since the broker will never take what they held.
bool Sender::SendDue() {
  if (!link_->connected()) return false;
  const Nanos now = Now();
  bool freed = false;
  while (InFlight* frame = window_.NextDue(now)) {
    window_.Sent(*frame, now);
    const Status sent = link_->Publish(frame_topic_, frame->bytes, 1, ack_topic_);
    if (sent) continue;
    if (AnswerTo(sent.error()) == AckStatus::kRetry) break;
    auto flight = window_.Remove(frame->run, frame->sequence);
    aside_.Gone(flight->needs, flight->place, now);
    GiveUp(*flight, "broker", sent.error().ToString());
    Ack refused;
    refused.status = AckStatus::kRefused;
    delivered_(Delivered(*flight, refused, now));
    spare_.push_back(std::move(flight->bytes));
    freed = true;
  }
  if (freed) changed_.notify_all();
  return freed;
}

size_t Sender::Drain(Nanos patience) {
  const Nanos end = Now() + patience;
  std::unique_lock lock(mutex_);
  const auto wait = [&] {
    while (!(window_.empty() && aside_.empty()) && Now() < end) changed_.wait_for(lock, kStopPoll);
    return window_.CountWithout(
        [this](SpoolPlace place) { return spool_ != nullptr && spool_->Holds(place); });
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
  flight.started = Now();
  closing_ = frame.sequence;
  window_.Add(std::move(flight));
  SendDue();
}

void Sender::RepeatLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Nanos now = Now();
    DropStale(now);
    // What is new is sent by Send; here it is what waits for an answer, or for its turn on disk.
    const auto due = window_.Deadline();
    const bool more = (spool_ != nullptr || (due && *due <= now)) && Pump();
    Nanos wait = more ? Nanos(1ms) : Nanos(1s);
    for (const auto deadline : {window_.Deadline(), aside_.Deadline()}) {
      if (deadline && *deadline > now) wait = std::min(wait, *deadline - now);
    }
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
  aside_.AskSoon(Now());
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
  window_.Hasten(Now(), unheard_.Next());
  changed_.notify_all();
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
    counts.kept = spool.waiting + spool.under_way + spool.aside;
    counts.kept_bytes = spool.bytes;
    counts.waiting = aside_.count();
    counts.dead = dead_->counts().letters;
    counts.dead_dropped = dead_->counts().dropped;
  }
  return counts;
}

}  // namespace fogline
