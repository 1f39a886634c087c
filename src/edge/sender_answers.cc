// What the answers of cloud and broker do to a sender's frames.
#include <algorithm>

#include "base/log.h"
#include "edge/sender.h"
#include "frame/json_frame.h"

namespace fogline {
namespace {

/// Different troubles that are remembered as said.
constexpr size_t kMostSaid = 64;

}  // namespace

void Sender::OnMessage(const Message& message) {
  if (message.topic == hello_topic_) return OnHello(message);
  const auto ack = ParseAck(message.payload);
  if (!ack) {
    LogDebug("{}: {}", message.topic, ack.error().ToString());
    return;
  }
  nobody_listens_ = false;
  unheard_.Reset();
  OnAnswer(*ack);
  changed_.notify_all();
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

void Sender::OnAnswer(const Ack& ack) {
  const Nanos now = Now();
  const std::lock_guard lock(mutex_);
  heard_ = now;
  if (ack.status == AckStatus::kRetry) return NotNow(ack, now);
  auto flight = window_.Remove(ack.run, ack.sequence);
  if (!flight) return;  // a second answer to a repeated frame
  if (closing_ == ack.sequence && ack.run == run_) return;
  if (aside_.Taken(flight->needs)) {
    LogInfo("the cloud takes again what it could not take; {} frames waited", aside_.count() + 1);
    said_.clear();
  }
  if (ack.status == AckStatus::kRefused) {
    GiveUp(*flight, "cloud", ack.message);
  } else if (spool_ != nullptr) {
    spool_->Done(flight->place);
  }
  const Delivery delivery = Delivered(*flight, ack, now);
  spare_.push_back(std::move(flight->bytes));
  Pump();
  // Told before Drain can see an empty window, so that whoever drained has heard of everything.
  delivered_(delivery);
}

/// The cloud cannot take a frame yet. With a copy on disk it leaves the window, and what needs the
/// same waits with it; else it keeps its place, and its patience grows. The mutex is held.
void Sender::NotNow(const Ack& ack, Nanos now) {
  InFlight* const found = window_.Find(ack.run, ack.sequence);
  if (found == nullptr) return;
  if (News(ack.message)) LogWarning("the cloud asks to wait: {}", ack.message);
  if (spool_ == nullptr || !spool_->Holds(found->place)) return window_.Defer(*found, now);
  auto flight = window_.Remove(ack.run, ack.sequence);
  spool_->SetAside(flight->place);
  aside_.NotNow(flight->needs, flight->place, flight->not_now + 1, now);
  spare_.push_back(std::move(flight->bytes));
  Pump();
}

/// What is known of a frame that was answered; the mutex is held.
Delivery Sender::Delivered(const InFlight& flight, const Ack& ack, Nanos now) {
  Delivery delivery;
  delivery.run = flight.run;
  delivery.sequence = flight.sequence;
  delivery.status = ack.status;
  delivery.recovered = flight.run != run_;
  delivery.stages = flight.stages;
  delivery.started = flight.started;
  delivery.sent = flight.last_sent;
  delivery.answered = now;
  delivery.total_ms = Millis(now - flight.started);
  delivery.bytes = flight.bytes.size();
  StageTimes& stages = delivery.stages;
  stages.queue = Millis(ack.stages.queue);
  stages.decode = Millis(ack.stages.decode);
  stages.suffix = Millis(ack.stages.suffix);
  stages.store = Millis(ack.stages.store);
  // After a repeat nobody knows which sending was answered (Karn's rule). A refused frame has no
  // row to tell of.
  const Nanos network = now - flight.last_sent - std::chrono::microseconds(ack.stages.total);
  if (flight.sends == 1 && !delivery.recovered && network >= Nanos(0) &&
      ack.status != AckStatus::kRefused) {
    const uint32_t network_us = Micros(network);
    if (settled_.size() < Frame::kMaxSettled) settled_.push_back({flight.sequence, network_us});
    stages.network = Millis(network_us);
  }
  return delivery;
}

/// Refused for ever: the frame goes to the dead letters, with the reason; the mutex is held.
void Sender::GiveUp(const InFlight& flight, const char* refused_by, const std::string& reason) {
  if (flight.run == run_) Untell(flight);
  const char* const where = dead_ != nullptr ? "kept in " : "lost, since there is no --spool";
  if (News(reason)) {
    LogError("the {} refuses a frame for ever: {}; such frames are {}{}", refused_by, reason, where,
             dead_ != nullptr ? dead_->folder().string() : "");
  }
  if (dead_ == nullptr) return;
  const Status buried =
      dead_->Bury({options_.device, flight.run, flight.sequence, refused_by, reason}, flight.bytes);
  if (buried) {
    spool_->Done(flight.place);
    return;
  }
  // The next run sends it once more, and finds room then, maybe.
  spool_->SetAside(flight.place);
  if (News(buried.error().ToString())) LogError("{}", buried.error().ToString());
}

/// What a frame that will not be stored would have told is told by the next one; the mutex is held.
void Sender::Untell(const std::vector<Settled>& settled) {
  const size_t room = Frame::kMaxSettled - settled_.size();
  settled_.insert(settled_.begin(), settled.begin(),
                  settled.begin() + static_cast<ptrdiff_t>(std::min(room, settled.size())));
}

void Sender::Untell(const InFlight& flight) {
  Frame frame;
  std::vector<std::byte> scratch;
  const Status read = IsJsonFrame(flight.bytes) ? ParseJsonFrame(flight.bytes, frame, scratch)
                                                : ParseFrame(flight.bytes, frame);
  if (read) Untell(frame.settled);
}

/// Whether a trouble was not said yet; the mutex is held.
bool Sender::News(const std::string& what) {
  if (said_.size() >= kMostSaid) return false;
  return said_.insert(what).second;
}

}  // namespace fogline
