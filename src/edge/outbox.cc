#include "edge/outbox.h"

#include <fmt/format.h>

#include <algorithm>

#include "frame/answer.h"
#include "frame/head.h"
#include "frame/json_frame.h"
#include "frame/topics.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

/// Frames read from the disk in one go, while others wait for the driver's lock.
constexpr int kMostReads = 256;
/// Then they get their turn.
constexpr Nanos kPause = 1ms;
/// How long the disk or the link is left alone after it gave or took nothing.
constexpr Nanos kMostRest = 1s;
constexpr Nanos kFirstUnheard = 100ms;

}  // namespace

Outbox::Outbox(const OutboxOptions& options)
    : options_(options),
      window_(options.window, options.patience, options.most_patience),
      aside_(options.patience, options.most_patience),
      unheard_(kFirstUnheard, options.patience, options.run) {}

Outbox::Action Outbox::Resume(const Event& event, Nanos now) {
  says_.clear();
  Action action = std::visit([&](const auto& what) { return On(what, now); }, event);
  action.says = says_;
  return action;
}

void Outbox::TryAgain() {
  blocked_ = dry_ = false;
  reads_ = 0;
}

/// What comes next when nothing is begun, in the order of urgency.
Outbox::Action Outbox::Next(Nanos now) {
  if (!leaving_) DropStale(now);
  if (leaving_) return Leave();
  if (settled_.size() >= Frame::kMaxSettled && !full()) Tell(now);
  const bool reads = options_.disk && !full() && !dry_ && reads_ < kMostReads;
  if (reads) return Read(now);
  return Publish(now);
}

Nanos Outbox::Rest(Nanos now) const {
  if (options_.disk && !full() && !dry_) return kPause;
  Nanos rest = kMostRest;
  for (const auto deadline : {window_.Deadline(), aside_.Deadline()}) {
    if (deadline && *deadline > now) rest = std::min(rest, *deadline - now);
  }
  if (options_.deadline > Nanos(0)) rest = std::min<Nanos>(rest, options_.deadline / 4);
  return rest;
}

OutboxCounts Outbox::counts() const {
  OutboxCounts counts = counts_;
  counts.waiting = aside_.count();
  counts.window = window_.count();
  return counts;
}

// A new frame: into the window, to the disk, or both.

Outbox::Action Outbox::On(const Offered& offered, Nanos now) {
  blocked_ = false;
  if (!options_.disk && full()) return {Action::kWait};
  Frame& frame = *offered.frame;
  frame.stages.window = Micros(now - offered.asked);
  InFlight flight = Name(frame, next_sequence_, offered.started);
  const Status written =
      offered.json ? WriteJsonFrame(frame, flight.bytes) : WriteFrame(frame, flight.bytes);
  if (!written) {
    settled_.insert(settled_.begin(), frame.settled.begin(), frame.settled.end());
    Recycle(flight);
    error_ = written.error();
    return {.kind = Action::kRefuse, .error = &error_};
  }
  const EdgeStages& e = frame.stages;
  flight.needs = {frame.model, frame.cut, frame.bundle};
  flight.ticket = offered.ticket;
  flight.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                   Millis(e.window)};
  json_ = offered.json;
  if (!options_.disk) {
    ++next_sequence_;
    Enter(std::move(flight), now);
    return Next(now);
  }
  offered_ = std::move(flight);
  record_ = {frame.run, frame.sequence, offered.started, frame.stages, {}, {}};
  offered_direct_ = !full() && !offered.backlog && !aside_.Waits(offered_.needs);
  return {.kind = Action::kKeep,
          .bytes = offered_.bytes,
          .under_way = offered_direct_,
          .record = &record_};
}

/// Gives a frame its name, and the times to tell that are settled; itself under way, yet to be
/// written.
InFlight Outbox::Name(Frame& frame, uint64_t sequence, Nanos started) {
  frame.device = options_.device;
  frame.run = options_.run;
  frame.sequence = sequence;
  TakeSettled(frame.settled);
  InFlight flight;
  flight.bytes = Spare();
  flight.run = frame.run;
  flight.sequence = frame.sequence;
  flight.started = started;
  return flight;
}

Outbox::Action Outbox::On(const Kept& kept, Nanos now) {
  InFlight flight = std::move(offered_);
  if (kept.error == nullptr) {
    ++next_sequence_;
    flight.place = kept.place;
    if (offered_direct_) {
      Enter(std::move(flight), now);
    } else {
      dry_ = false;
      Recycle(flight);
    }
    return Next(now);
  }
  // What the disk will never take needs a place in the window, no room on the disk.
  const bool never = kept.error->code == ErrorCode::kUnsupported;
  if (offered_direct_ || (never && !full())) {
    if (counts_.unspooled++ == 0) {
      Say(LogLevel::kError, kept.error->ToString() + "; frames go on from memory alone");
    }
    ++next_sequence_;
    Enter(std::move(flight), now);
    return Next(now);
  }
  Untell(flight);
  Recycle(flight);
  if (!never && !options_.waits_for_disk) {
    if (counts_.dropped++ == 0) {
      Say(LogLevel::kError, kept.error->ToString() + "; new frames are dropped");
    }
    ++next_sequence_;
    return Next(now);
  }
  if (!said_full_) Say(LogLevel::kWarning, kept.error->ToString() + "; the camera waits");
  said_full_ = true;
  return {Action::kWait};
}

void Outbox::Enter(InFlight flight, Nanos now) {
  if (window_.empty()) heard_ = now;
  window_.Add(std::move(flight));
}

// The link.

Outbox::Action Outbox::On(const Connected&, Nanos now) {
  connected_ = true;
  TryAgain();
  aside_.AskSoon(now);
  window_.EverythingIsDue();
  return Next(now);
}

Outbox::Action Outbox::On(const Disconnected&, Nanos now) {
  connected_ = said_nobody_ = false;
  return Next(now);
}

Outbox::Action Outbox::On(const NobodyListens&, Nanos now) {
  if (!said_nobody_) {
    Say(LogLevel::kWarning,
        FrameTopic(options_.device) + ": no cloud worker listens; frames wait here until one does");
  }
  said_nobody_ = true;
  // A worker that restarts is back within moments; one that is away for long is not hammered.
  window_.Hasten(now, unheard_.Next());
  return Next(now);
}

Outbox::Action Outbox::On(const TimePassed&, Nanos now) {
  TryAgain();
  return Next(now);
}

Outbox::Action Outbox::Publish(Nanos now) {
  if (!connected_ || in_air_ || blocked_) return {};
  InFlight* const frame = window_.NextDue(now);
  if (frame == nullptr) return {};
  window_.Sent(*frame, now);
  in_air_ = frame->name();
  return {.kind = Action::kPublish, .bytes = frame->bytes};
}

Outbox::Action Outbox::On(const Published& published, Nanos now) {
  const FrameName name = *in_air_;
  in_air_.reset();
  if (landing_.capacity() > 0) spare_.push_back(std::move(landing_));
  landing_ = {};
  if (published.error == nullptr) return Next(now);
  if (AnswerTo(*published.error) == AckStatus::kRetry) {
    blocked_ = true;  // it stays in the window, and its patience runs
    return Next(now);
  }
  // This broker will never take it.
  auto flight = window_.Remove(name.run, name.sequence);
  if (!flight) return Next(now);
  if (flight->telling) {
    Recycle(*flight);
    return Next(now);
  }
  aside_.Gone(flight->needs, flight->place, now);
  Delivery delivery = Delivered(*flight, AckStatus::kRefused, now);
  GiveUp(*std::move(flight), "broker", published.error->ToString(), delivery);
  return Next(now);
}

// The disk.

/// A frame that may be sent now is read: one that waits aside, or the next one in order.
Outbox::Action Outbox::Read(Nanos now) {
  ++reads_;
  asked_ = aside_.Next(now);
  if (asked_) return {.kind = Action::kTakeBack, .place = asked_->place};
  return {Action::kTake};
}

Outbox::Action Outbox::On(const Taken& taken, Nanos now) {
  const auto asked = std::exchange(asked_, std::nullopt);
  if (taken.frame == nullptr) {
    if (!asked) {
      dry_ = true;
    } else if (taken.error->code == ErrorCode::kNotFound) {
      aside_.Gone(asked->needs, asked->place, now);
    } else {
      aside_.PutBack(*asked, now);
      if (News(taken.error->ToString())) Say(LogLevel::kError, taken.error->ToString());
    }
    return Next(now);
  }
  InFlight flight = FromDisk(*taken.frame, now);
  if (!asked && aside_.Waits(flight.needs)) {
    PutAside(std::move(flight), false);
    return Next(now);
  }
  flight.not_now = asked ? asked->times : 0;
  Enter(std::move(flight), now);
  return Next(now);
}

/// Takes the bytes of what was read, and gives a buffer for the next.
InFlight Outbox::FromDisk(SpoolFrame& kept, Nanos now) {
  InFlight flight;
  flight.run = kept.run;
  flight.sequence = kept.sequence;
  flight.place = kept.place;
  flight.bytes = std::exchange(kept.bytes, Spare());
  if (const auto head = ReadFrameHead(flight.bytes)) {
    flight.needs = {head->model, head->cut, head->bundle};
  }
  if (kept.run != options_.run) return flight;
  flight.started = kept.started;
  const EdgeStages& e = kept.stages;
  const auto worked = std::chrono::microseconds(int64_t{e.read} + e.resize + e.prefix + e.encode);
  const uint32_t waited = Micros(now - kept.started - worked);
  if (!json_) RestampWindow(waited, flight.bytes);
  flight.stages = {Millis(e.read), Millis(e.resize), Millis(e.prefix), Millis(e.encode),
                   Millis(waited)};
  return flight;
}

std::vector<std::byte> Outbox::Spare() {
  if (spare_.empty()) return {};
  std::vector<std::byte> buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

/// Keeps a buffer for the next frame; one that is still being published, until it is.
void Outbox::Recycle(InFlight& flight) {
  if (in_air_ == flight.name() && landing_.capacity() == 0) {
    landing_ = std::move(flight.bytes);
  } else {
    spare_.push_back(std::move(flight.bytes));
  }
}

}  // namespace fogline
