// What the answers of cloud and broker do to an outbox's frames, and which network times are told.
#include <fmt/format.h>

#include <algorithm>

#include "edge/outbox.h"
#include "frame/json_frame.h"

namespace fogline {
namespace {

/// Different troubles that are remembered as said.
constexpr size_t kMostSaid = 64;

}  // namespace

Outbox::Action Outbox::On(const Answered& answered, Nanos now) {
  const Ack& ack = *answered.ack;
  TryAgain();
  said_nobody_ = false;
  unheard_.Reset();
  heard_ = now;
  InFlight* const found = window_.Find(ack.run, ack.sequence);
  if (found == nullptr) return Next(now);  // a second answer to a repeated frame
  if (ack.status == AckStatus::kRetry) {
    if (News(ack.message)) Say(LogLevel::kWarning, "the cloud asks to wait: " + ack.message);
    // With a copy on disk it leaves the window, and what needs the same waits with it; else it
    // keeps its place, and its patience grows.
    if (found->place == SpoolPlace{}) {
      window_.Defer(*found, now);
    } else {
      PutAside(*window_.Remove(ack.run, ack.sequence), true);
    }
    return Next(now);
  }
  InFlight flight = *window_.Remove(ack.run, ack.sequence);
  if (flight.telling) {
    Recycle(flight);
    return Next(now);
  }
  if (aside_.Taken(flight.needs)) {
    Say(LogLevel::kInfo,
        fmt::format("the cloud takes again what it could not take; {} frames waited",
                    aside_.count() + 1));
    said_.clear();
  }
  Delivery delivery = Delivered(flight, ack.status, now);
  Settle(delivery, flight, ack.stages);
  if (ack.status == AckStatus::kRefused) {
    GiveUp(std::move(flight), "cloud", ack.message, delivery);
  } else {
    const auto next = flight.place == SpoolPlace{} ? Action::kDeliver : Action::kForget;
    Leaving& leaving = LetGo(next, std::move(flight));
    leaving.delivery = delivery;
    // Told before the answer is gone: what leaves comes before anything that is let wait.
    leaving.result = ack.result ? &*ack.result : nullptr;
  }
  return Next(now);
}

Outbox::Leaving& Outbox::LetGo(Action::Kind next, InFlight flight) {
  return leaving_.emplace(Leaving{next, std::move(flight), {}, {}, false, nullptr});
}

/// What has to be done next about the frame that leaves.
Outbox::Action Outbox::Leave() {
  const Leaving& l = *leaving_;
  return {.kind = l.next,
          .bytes = l.flight.bytes,
          .place = l.flight.place,
          .letter = &l.letter,
          .delivery = l.delivery ? &*l.delivery : nullptr,
          .result = l.result};
}

/// The frame that leaves has been forgotten, or delivered: told after the disk, so that whoever
/// finds nothing under way has heard of everything.
Outbox::Action Outbox::On(const Done&, Nanos now) {
  if (leaving_->next == Action::kForget && leaving_->delivery) {
    leaving_->next = Action::kDeliver;
    return Leave();
  }
  Recycle(leaving_->flight);
  leaving_.reset();
  return Next(now);
}

/// Refused for ever: the frame goes to the dead letters, with the reason.
void Outbox::GiveUp(InFlight flight, const char* refused_by, const std::string& reason,
                    std::optional<Delivery> delivery) {
  Untell(flight);
  const bool buried = options_.disk;
  if (News(reason)) {
    Say(LogLevel::kError,
        fmt::format("the {} refuses a frame for ever: {}; such frames are {}", refused_by, reason,
                    buried ? "kept in " + options_.dead_letters
                           : std::string("lost, since there is no --spool")));
  }
  Leaving& leaving = LetGo(buried ? Action::kBury : Action::kDeliver, std::move(flight));
  leaving.letter = {options_.device, leaving.flight.run, leaving.flight.sequence, refused_by,
                    reason};
  leaving.delivery = delivery;
}

Outbox::Action Outbox::On(const Buried& buried, Nanos now) {
  const bool failed = buried.error != nullptr;
  if (failed && News(buried.error->ToString())) Say(LogLevel::kError, buried.error->ToString());
  if (leaving_->flight.place == SpoolPlace{}) {
    leaving_->next = Action::kDeliver;
  } else {
    // What is not buried the next run sends once more, and finds room then, maybe.
    leaving_->next = failed ? Action::kSetAside : Action::kForget;
  }
  return Next(now);
}

/// The cloud cannot take a frame yet, or one that needs the same.
void Outbox::PutAside(InFlight flight, bool told_not_now) {
  LetGo(Action::kSetAside, std::move(flight)).told_not_now = told_not_now;
}

Outbox::Action Outbox::On(const SetAside& aside, Nanos now) {
  if (leaving_->delivery) {  // refused, and not buried
    leaving_->next = Action::kDeliver;
    return Leave();
  }
  InFlight flight = std::move(leaving_->flight);
  const bool told = leaving_->told_not_now;
  leaving_.reset();
  if (!aside.held) {
    // The disk gave it up for newer ones: it goes on from memory.
    flight.place = {};
    told ? window_.Return(std::move(flight), now) : Enter(std::move(flight), now);
    return Next(now);
  }
  if (told) {
    aside_.NotNow(flight.needs, flight.place, flight.not_now + 1, now);
  } else {
    aside_.Add(flight.needs, flight.place);
  }
  Recycle(flight);
  return Next(now);
}

/// Gives up one frame that is past its deadline.
void Outbox::DropStale(Nanos now) {
  if (options_.deadline == Nanos(0)) return;
  while (auto flight = window_.RemoveOlder(now - options_.deadline)) {
    Untell(*flight);
    if (!flight->telling) ++counts_.stale;
    if (flight->place == SpoolPlace{}) {
      Recycle(*flight);
      continue;
    }
    aside_.Gone(flight->needs, flight->place, now);
    LetGo(Action::kForget, *std::move(flight));
    return;
  }
}

/// What is known of a frame that has come to its end.
Delivery Outbox::Delivered(const InFlight& flight, AckStatus status, Nanos now) const {
  Delivery delivery;
  delivery.run = flight.run;
  delivery.sequence = flight.sequence;
  delivery.status = status;
  delivery.recovered = flight.run != options_.run;
  delivery.stages = flight.stages;
  delivery.started = flight.started;
  delivery.sent = flight.last_sent;
  delivery.answered = now;
  delivery.total_ms = Millis(now - flight.started);
  delivery.bytes = flight.bytes.size();
  delivery.ticket = flight.ticket;
  return delivery;
}

/// The cloud's times, and the network's where it is known, which is to be told.
void Outbox::Settle(Delivery& delivery, const InFlight& flight, const CloudStages& cloud) {
  StageTimes& stages = delivery.stages;
  stages.queue = Millis(cloud.queue);
  stages.decode = Millis(cloud.decode);
  stages.suffix = Millis(cloud.suffix);
  stages.store = Millis(cloud.store);
  delivery.cloud_ms = Millis(cloud.queue) + Millis(cloud.decode) + Millis(cloud.suffix);
  // After a repeat nobody knows which sending was answered (Karn's rule). A refused frame has no
  // row to tell of.
  const Nanos network =
      delivery.answered - flight.last_sent - std::chrono::microseconds(cloud.total);
  if (flight.sends != 1 || delivery.recovered || network < Nanos(0) ||
      delivery.status == AckStatus::kRefused) {
    return;
  }
  const uint32_t network_us = Micros(network);
  settled_.push_back({flight.sequence, network_us});
  stages.network = Millis(network_us);
}

/// As many as a frame holds, the oldest first.
void Outbox::TakeSettled(std::vector<Settled>& into) {
  into.clear();
  if (settled_.size() <= Frame::kMaxSettled) {
    into.swap(settled_);
    return;
  }
  const auto end = settled_.begin() + Frame::kMaxSettled;
  into.assign(settled_.begin(), end);
  settled_.erase(settled_.begin(), end);
}

/// A frame without payloads, repeated like any other until it is answered, tells what no other
/// does. It takes no number of a picture's frame: whoever looks for gaps finds lost pictures only.
void Outbox::Tell(Nanos now) {
  Frame frame;
  InFlight flight = Name(frame, next_telling_, now);
  if (!WriteFrame(frame, flight.bytes)) return;  // too few and too short to fail
  ++next_telling_;
  flight.telling = true;
  Enter(std::move(flight), now);
}

Outbox::Action Outbox::On(const Closing&, Nanos now) {
  TryAgain();
  if (window_.empty() && !settled_.empty()) Tell(now);
  return Next(now);
}

/// What a frame that will not be stored would have told is told by the next one. Times of an
/// earlier run's frames go with them: a frame names only its own run's.
void Outbox::Untell(const InFlight& flight) {
  if (flight.run != options_.run) return;
  Frame frame;
  std::vector<std::byte> scratch;
  const Status read = IsJsonFrame(flight.bytes) ? ParseJsonFrame(flight.bytes, frame, scratch)
                                                : ParseFrame(flight.bytes, frame);
  if (read) settled_.insert(settled_.begin(), frame.settled.begin(), frame.settled.end());
}

/// Whether a trouble was not said yet.
bool Outbox::News(const std::string& what) {
  if (said_.size() >= kMostSaid) return false;
  return said_.insert(what).second;
}

}  // namespace fogline
