#include "edge/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "base/process.h"
#include "base/random.h"
#include "frame/topics.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// How often a waiting Send looks whether a stop was asked for.
constexpr auto kAnswerPoll = 100ms;

/// How often a frame tells the cloud of the others.
constexpr Nanos kBetweenCounts = 30s;

uint64_t RandomRun() {
  // SQLite and JSON readers keep 63-bit integers exactly.
  return RandomBits() >> 1;
}

std::filesystem::path DeadFolder(const SenderOptions& options) {
  return options.spool.folder / "dead";
}

OutboxOptions ForOutbox(const SenderOptions& options, uint64_t run) {
  OutboxOptions out;
  out.device = options.device;
  out.run = run;
  out.window = options.window;
  out.patience = options.patience;
  out.most_patience = options.most_patience;
  out.deadline = options.deadline;
  out.disk = !options.spool.folder.empty();
  out.waits_for_disk = options.spool.when_full == WhenFull::kWait;
  if (out.disk) out.dead_letters = DeadFolder(options).string();
  return out;
}

/// What the cloud is told of them.
DeviceCounts ForCloud(const SenderCounts& counts, bool on_disk) {
  const auto most = [](uint64_t n) {
    return static_cast<uint32_t>(std::min<uint64_t>(n, std::numeric_limits<uint32_t>::max()));
  };
  return {most(on_disk ? counts.kept : counts.window), most(counts.dead),
          most(counts.dropped + counts.dead_dropped)};
}

}  // namespace

Sender::Sender(const SenderOptions& options, uint64_t run, OnDelivery delivered)
    : options_(options),
      delivered_(std::move(delivered)),
      run_(run),
      frame_topic_(FrameTopic(options.device)),
      ack_topic_(options.asks_for_findings ? FindingsTopic(options.device, run_)
                                           : AckTopic(options.device, run_)),
      hello_topic_(HelloTopic(options.device)),
      outbox_(ForOutbox(options, run_)) {}

Result<std::unique_ptr<Sender>> Sender::Start(const SenderOptions& options, OnDelivery delivered) {
  if (!IsDeviceName(options.device)) {
    return Fail(ErrorCode::kUsage, "--device " + options.device,
                "is no device name: use 1 to {} of A-Z a-z 0-9 . _ -", Frame::kMaxDeviceName);
  }
  auto sender = std::unique_ptr<Sender>(new Sender(options, RandomRun(), std::move(delivered)));
  if (!options.spool.folder.empty()) {
    FOGLINE_TRY(sender->spool_, Spool::Open(options.spool, options.device));
    FOGLINE_TRY(sender->dead_, DeadLetters::Open(DeadFolder(options), options.dead_limit_bytes));
  }
  sender->options_.link.name = "fogline-" + options.device;
  FOGLINE_TRY(sender->link_, options.make_link(sender->options_.link, *sender));
  sender->Tell(Outbox::TimePassed{});  // what an earlier run left is read before anything is sent
  sender->link_->Start();
  sender->repeater_ =
      std::jthread([s = sender.get()](const std::stop_token& stop) { s->RepeatLoop(stop); });
  return sender;
}

Sender::~Sender() {
  if (link_ != nullptr) link_->Stop();
  {
    const std::lock_guard lock(mutex_);
    repeater_.request_stop();
  }
  changed_.notify_all();
}

// Carrying out what the outbox asks for.

/// Tells the outbox of something and does all that follows from it.
void Sender::Tell(const Outbox::Event& event) {
  {
    std::unique_lock lock(mutex_);
    Run(lock, event);
  }
  changed_.notify_all();
}

/// The same with the lock in hand, which is let go of while bytes are published. How it ended.
Outbox::Action Sender::Run(std::unique_lock<std::mutex>& lock, const Outbox::Event& event) {
  Outbox::Action action = outbox_.Resume(event, Now());
  for (;;) {
    for (const Outbox::Line& line : action.says) LogLine(line.level, line.text);
    if (action.terminal()) return action;
    const Outbox::Event outcome =
        action.kind == Outbox::Action::kPublish ? Publish(lock, action) : Do(action);
    action = outbox_.Resume(outcome, Now());
  }
}

Outbox::Event Sender::Publish(std::unique_lock<std::mutex>& lock, const Outbox::Action& action) {
  lock.unlock();
  const Status sent = link_->Publish(frame_topic_, action.bytes, 1, ack_topic_);
  lock.lock();
  if (sent) return Outbox::Published{nullptr};
  failed_ = sent.error();
  return Outbox::Published{&failed_};
}

/// What concerns disk and owner; the mutex is held.
Outbox::Event Sender::Do(const Outbox::Action& action) {
  using Action = Outbox::Action;
  const auto failure = [this](Status status) -> const Error* {
    if (status) return nullptr;
    failed_ = std::move(status.error());
    return &failed_;
  };
  switch (action.kind) {
    case Action::kKeep: {
      SpoolPlace place;
      const Error* const error =
          failure(spool_->Append(*action.record, action.bytes, action.under_way, place));
      return Outbox::Kept{place, error};
    }
    case Action::kTake:
      return Outbox::Taken{spool_->Take(read_) ? &read_ : nullptr, nullptr};
    case Action::kTakeBack: {
      const Error* const error = failure(spool_->TakeBack(action.place, read_));
      return Outbox::Taken{error == nullptr ? &read_ : nullptr, error};
    }
    case Action::kSetAside:
      return Outbox::SetAside{spool_->SetAside(action.place)};
    case Action::kForget:
      spool_->Done(action.place);
      return Outbox::Done{};
    case Action::kBury:
      return Outbox::Buried{failure(dead_->Bury(*action.letter, action.bytes))};
    case Action::kDeliver:
      delivered_({*action.delivery, action.bytes, action.result, action.letter->reason});
      return Outbox::Done{};
    case Action::kPublish:
    case Action::kNothing:
    case Action::kWait:
    case Action::kRefuse:
      break;
  }
  return Outbox::Done{};
}

void Sender::RepeatLoop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    Run(lock, Outbox::TimePassed{});
    if (!stop.stop_requested()) changed_.wait_for(lock, outbox_.Rest(Now()));
  }
}

// What the owner asks for.

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

Status Sender::Send(Frame& frame, Nanos started, bool json, uint64_t ticket) {
  const Nanos asked = Now();
  if (!counted_ || asked - *counted_ >= kBetweenCounts) {
    counted_ = asked;
    frame.counts = ForCloud(counts(), spool_ != nullptr);
  }
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool backlog = spool_ != nullptr && spool_->counts().waiting > 0;
    const Outbox::Action end =
        Run(lock, Outbox::Offered{&frame, started, asked, json, backlog, ticket});
    if (end.kind == Outbox::Action::kRefuse) return tl::unexpected<Error>(*end.error);
    if (end.kind != Outbox::Action::kWait) return {};
    if (!Wait(lock)) {
      return Fail(ErrorCode::kCancelled, options_.device, "stopped while waiting to send");
    }
  }
}

/// False when a stop is asked for.
bool Sender::Wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait_for(lock, kAnswerPoll);
  return !StopRequested();
}

bool Sender::WaitForRoom() {
  std::unique_lock lock(mutex_);
  while (outbox_.full()) {
    if (!Wait(lock)) return false;
  }
  return true;
}

Nanos Sender::Silence() const {
  const std::lock_guard lock(mutex_);
  return outbox_.Silence(Now());
}

size_t Sender::Drain(Nanos patience) {
  const Nanos end = Now() + patience;
  std::unique_lock lock(mutex_);
  const auto wait = [&] {
    while (!outbox_.idle() && Now() < end) changed_.wait_for(lock, kAnswerPoll);
    return outbox_.CountWithout(
        [this](SpoolPlace place) { return spool_ != nullptr && spool_->Holds(place); });
  };
  const size_t unanswered = wait();
  Run(lock, Outbox::Closing{});
  (void)wait();
  return unanswered;
}

SenderCounts Sender::counts() const {
  const std::lock_guard lock(mutex_);
  const OutboxCounts outbox = outbox_.counts();
  SenderCounts counts;
  counts.dropped = outbox.dropped;
  counts.unspooled = outbox.unspooled;
  counts.stale = outbox.stale;
  counts.window = outbox.window;
  counts.unsent_bytes = link_->unsent_bytes();
  counts.connected = link_->connected();
  if (spool_ == nullptr) return counts;
  const SpoolCounts spool = spool_->counts();
  counts.dropped += spool.dropped;
  counts.recovered = spool.recovered;
  counts.kept = spool.waiting + spool.under_way + spool.aside;
  counts.kept_bytes = spool.bytes;
  counts.waiting = outbox.waiting;
  counts.dead = dead_->counts().letters;
  counts.dead_dropped = dead_->counts().dropped;
  return counts;
}

// What the link hears.

void Sender::OnConnected() {
  for (const std::string& topic : {ack_topic_, hello_topic_}) {
    if (const Status status = link_->Subscribe(topic, 1); !status)
      LogWarning("{}", status.error().ToString());
  }
  const std::string hello = fmt::format("{:016x}", run_);
  (void)link_->Publish(hello_topic_, std::as_bytes(std::span(hello)), 1);
  Tell(Outbox::Connected{});
}

void Sender::OnDisconnected() { Tell(Outbox::Disconnected{}); }

void Sender::OnNobodyListens() { Tell(Outbox::NobodyListens{}); }

void Sender::OnMessage(const Message& message) {
  if (message.topic == hello_topic_) return OnHello(message);
  const auto ack = ParseAck(message.payload);
  if (ack) return Tell(Outbox::Answered{&*ack});
  LogDebug("{}: {}", message.topic, ack.error().ToString());
}

void Sender::OnHello(const Message& message) {
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
}

}  // namespace fogline
