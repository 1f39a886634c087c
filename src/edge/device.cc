#include "edge/device.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "plan/policy.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

/// How long the first picture waits for the broker to say what it takes at most.
constexpr Nanos kForTheLimit = std::chrono::seconds(2);
/// A stop that is asked for is seen within so long.
constexpr Nanos kStopPoll = std::chrono::milliseconds(100);
constexpr double kFastestMbps = 1000;  // that a line is said to have

/// A frame's bars: what this side did, one after the other, and the time until the answer.
void TraceDelivery(TraceFile& trace, const std::string& device, const Delivery& d) {
  if (d.recovered) return;
  const std::string name = TraceFile::NameOf(device, d.run, d.sequence);
  Nanos at = d.started;
  for (const StageField& stage : kStages) {
    if (stage.time_ms == &StageTimes::window) break;  // the rest is told by what follows
    const float ms = d.stages.*stage.time_ms;
    if (!(ms > 0)) continue;
    const Nanos length(static_cast<int64_t>(ms * 1e6));
    trace.Bar(name, stage.name, at, length);
    at += length;
  }
  trace.Bar(name, "window", at, std::max(Nanos(0), d.sent - at));
  trace.Bar(name, "away", d.sent, d.answered - d.sent);
}

}  // namespace

Device::Device(const DeviceOptions& options, const RoutePool& pool, const Shared& shared)
    : options_(options), pool_(pool), shared_(shared), steering_(options.steering) {
  const Mechanism& usual = pool.at(options.steering.usual);
  report_.device = options.sender.device;
  report_.mechanism = usual.name();
  report_.cut = usual.cut().name;
  report_.codec = usual.codec();
  if (!options.steering.ways.empty()) report_.mechanism = "auto";
  if (options.changes.threshold > 0) changes_.emplace(options.changes);
  for (const PolicyWay& way : options.steering.ways) {
    report_.routes.emplace_back(ToString(pool.at(way.route).route()), 0);
  }
}

Status Device::Start() {
  SourceOptions what = options_.source;
  what.at_least = DecodeAtLeast(pool_.network().card);
  FOGLINE_TRY(source_, OpenSource(what));
  FOGLINE_TRY(CameraClock clock, CameraClock::Make(options_.camera_offset, options_.source.shown(),
                                                   options_.source.depth()));
  whereabouts_.emplace(std::move(clock), shared_.locator);
  if (options_.steering.latest || options_.source.live()) {
    std::error_code unknown;
    // A folder has no pace of its own.
    const bool folder = std::filesystem::is_directory(options_.source.name, unknown);
    auto latest = std::make_unique<LatestSource>(
        std::move(source_), folder ? Nanos(static_cast<int64_t>(1e9 / options_.rate)) : Nanos(0));
    latest_ = latest.get();
    source_ = std::move(latest);
  }
  SenderOptions options = options_.sender;
  // What was found in a picture is said again of those that are like it.
  options.asks_for_findings = shared_.answers != nullptr || changes_.has_value();
  FOGLINE_TRY(auto sender, Sender::Start(options, [this](const Receipt& r) { OnReceipt(r); }));
  const Mechanism& usual = pool_.at(options_.steering.usual);
  const size_t least_bytes = usual.least_bytes();
  if (least_bytes > 0) FOGLINE_CHECK(sender->CheckLimit(least_bytes, kForTheLimit));
  LogInfo("edge {}: {} ({})", options_.sender.device, ToString(usual.route()), usual.name());
  const std::lock_guard lock(mutex_);
  sender_ = std::move(sender);
  started_ = true;
  return {};
}

Status Device::Run() {
  FOGLINE_CHECK(Start());
  std::vector<std::unique_ptr<Workbench>> benches;
  for (int i = 0; i < options_.workers; ++i) {
    FOGLINE_TRY(benches.emplace_back(),
                Workbench::Make(pool_, options_.steering.usual, options_.thumbnail));
  }
  next_ = Clock::Real().Steady();
  std::vector<std::jthread> others;
  for (size_t i = 1; i < benches.size(); ++i) {
    others.emplace_back([this, bench = benches[i].get()] { Work(*bench); });
  }
  Work(*benches[0]);
  others.clear();  // joins them
  whereabouts_->Say(options_.source.shown());
  const size_t unanswered = sender_->Drain(options_.drain);
  if (unanswered > 0) {
    LogError("edge {}: {} frames were not acknowledged within {:.0f} s", options_.sender.device,
             unanswered, Millis(options_.drain) / 1000);
  }
  {
    const std::lock_guard lock(mutex_);
    report_.unanswered = unanswered;
  }
  if (const uint64_t kept = sender_->counts().kept; kept > 0) {
    LogInfo("edge {}: {} frames stay in the spool for the next run", options_.sender.device, kept);
  }
  return {};
}

/// One worker: picture after picture.
void Device::Work(Workbench& bench) {
  Taken taken;
  for (;;) {
    const auto place = turns_.Enter([&] { return Take(taken); });
    if (!place) return;
    // In the cloud's place every result is kept: it would have stored every picture.
    const bool all = options_.report_all || taken.choice.alone;
    if (taken.status) {
      taken.status = bench.Work(taken.capture, taken.route, all, changes_ ? &*changes_ : nullptr);
    }
    turns_.Leave(*place, [&] { HandOn(bench, taken); });
  }
}

/// The next picture that goes a way, or why there is none; false when there will be no more. One
/// worker at a time.
bool Device::Take(Taken& out) {
  for (;;) {
    if (ended_ || StopRequested() || (options_.count > 0 && taken_ >= options_.count)) return false;
    if (!WaitForRoom() || !KeepRate()) return false;
    const auto more = source_->Next(out.capture);
    if (more && !*more) {
      ended_ = true;
      return false;
    }
    out.status = more ? Status() : Forward(Result<bool>(more));
    // A camera that went away ends the run.
    if (!more && more.error().code == ErrorCode::kUnavailable) ended_ = true;
    if (!out.status || Steer(out)) {
      ++taken_;
      return true;
    }
    const std::lock_guard lock(mutex_);
    ++report_.stale;
  }
}

/// Waits until a picture may be taken; false when a stop is asked for.
bool Device::WaitForRoom() {
  if (!options_.steering.latest) return true;
  if (options_.workers == 1) return sender_->WaitForRoom();
  for (;;) {
    uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = moves_;
    }
    const size_t window = options_.sender.window;
    const size_t free = window - std::min<size_t>(window, sender_->counts().window);
    if (steering_.MayTake(free, turns_.under_way())) return true;
    std::unique_lock lock(mutex_);
    moved_.wait_for(lock, kStopPoll, [&] { return moves_ != seen; });
    if (StopRequested()) return false;
  }
}

/// Waits until the rate allows another picture; false when a stop is asked for.
bool Device::KeepRate() {
  if (options_.rate <= 0 || (latest_ != nullptr && latest_->paced())) return true;
  const Nanos wait = next_ - Clock::Real().Steady();
  if (wait > Nanos(0) && WaitForStop(std::chrono::ceil<std::chrono::milliseconds>(wait))) {
    return false;
  }
  next_ = std::max(next_, Clock::Real().Steady() - Nanos(std::chrono::seconds(1))) +
          Nanos(static_cast<int64_t>(1e9 / options_.rate));
  return true;
}

/// Chooses the way of a picture; false when it is passed over.
bool Device::Steer(Taken& out) {
  const SteeringRules& rules = options_.steering;
  const Nanos now = latest_ != nullptr ? Clock::Real().Steady() : out.capture.began;
  const Observed seen{.silence = rules.local ? sender_->Silence() : Nanos(0),
                      .age = now - out.capture.began,
                      .now = Clock::Real().Steady()};
  {
    const std::lock_guard lock(steering_mutex_);
    out.choice = steering_.Choose(seen);
  }
  const Choice& choice = out.choice;
  if (!choice.route) return false;
  // What the newest waited for its turn is neither reading nor the line's.
  out.capture.began = now;
  out.route = *choice.route;
  if (choice.changed && choice.alone) {
    LogWarning("the cloud has been silent for {:.0f} s: the whole network runs here",
               Millis(rules.fallback) / 1000);
  } else if (choice.changed && rules.ways.empty()) {
    LogInfo("the cloud answers: {} again", pool_.at(out.route).name());
  }
  if (!rules.ways.empty()) NoteChoice(choice);
  return true;
}

/// Counts what steering chose, and says it where it is another route than before.
void Device::NoteChoice(const Choice& choice) {
  double mbps = 0, stretch = 0;
  {
    const std::lock_guard lock(steering_mutex_);
    const RouteChooser& chooser = *steering_.chooser();
    if (chooser.line().known()) {
      mbps = MsPerByteAt(std::max(chooser.ms_per_byte(), MsPerByteAt(kFastestMbps)));
      stretch = chooser.stretch();
    }
  }
  if (choice.changed && !choice.alone) {
    LogInfo(
        "edge {}: {} from here on{}; about {:.3g} Mbit/s up, the cloud takes {:.1f} times what "
        "it takes alone",
        options_.sender.device, ToString(pool_.at(*choice.route).route()),
        choice.probe ? ", as a probe" : "", mbps, stretch);
  }
  const std::lock_guard lock(mutex_);
  report_.switches += choice.changed;
  report_.probes += choice.probe;
  report_.uplink_mbps = mbps;
  report_.cloud_stretch = stretch;
}

/// What came of a picture's choice, before its frame goes out.
void Device::TellSteering(const Workbench& bench, const Taken& taken) {
  const std::lock_guard lock(steering_mutex_);
  const Choice& choice = taken.choice;
  if (!taken.status || bench.unchanged()) return steering_.Lost(choice);
  steering_.Worked(choice, bench.edge_ms());
  if (bench.sends()) steering_.Sent(choice, Clock::Real().Steady(), bench.left());
}

/// What came of a picture that others may be like.
void Device::TellChanges(const Workbench& bench, uint64_t sequence, bool sent) {
  if (sent) return changes_->Sent(sequence, bench.seen(), bench.Found());
  if (bench.sends() || bench.unchanged()) return;
  if (const auto own = bench.Found()) changes_->Unreported(bench.seen(), *own);
}

/// Sends what a worker made of a picture, and counts what became of it. One worker at a time, in
/// the order in which the pictures were taken.
void Device::HandOn(Workbench& bench, Taken& taken) {
  const bool made = taken.status.has_value();
  const bool sends = made && bench.sends();
  const bool went = made && !(changes_ && bench.unchanged());
  if (taken.choice.ticket != 0) TellSteering(bench, taken);
  if (sends) {
    whereabouts_->Stamp(bench.exif(), taken.capture, bench.frame());
    taken.status = sender_->Send(bench.frame(), taken.capture.began, options_.json,
                                 went ? taken.choice.ticket : 0);
  }
  const bool sent = sends && taken.status;
  if (made && changes_) TellChanges(bench, bench.frame().sequence, sent);
  if (went && !sent && taken.choice.ticket != 0) {
    const std::lock_guard lock(steering_mutex_);
    steering_.Lost(taken.choice);
  }
  if (made && shared_.answers != nullptr) TellOwn(bench, taken.capture, sent);
  const bool skipped = !taken.status && !Ends(taken);
  const auto& ways = options_.steering.ways;
  const auto way = std::ranges::find(ways, taken.route, &PolicyWay::route);
  {
    const std::lock_guard lock(mutex_);
    report_.images += made;
    if (went && way != ways.end()) {
      ++report_.routes[static_cast<size_t>(way - ways.begin())].second;
    }
    report_.unreported += made && !sends;
    report_.sent += sent;
    report_.local += sent && taken.choice.alone;
    report_.early += made && bench.left();
    report_.audited += made && bench.audited();
    report_.skipped += skipped;
    report_.unplaced = whereabouts_->unplaced();
    ++moves_;
  }
  if (latest_ != nullptr) moved_.notify_all();
}

/// What the device itself found in a picture, sent or not, is known now.
void Device::TellOwn(Workbench& bench, const Capture& capture, bool sent) {
  const auto found = bench.Found();
  if (!found) return;
  Frame& frame = bench.frame();
  if (!sent) {
    const Captured when = whereabouts_->When(bench.exif(), capture);
    frame.captured_us = when.us;
    frame.captured_from = when.from;
    frame.run = sender_->run();
  }
  shared_.answers->Own(options_.sender.device, frame, sent, *found);
}

/// Names what went wrong. True when nothing follows, as after a stop or when a camera went away;
/// after a bad picture the next one is taken.
bool Device::Ends(const Taken& taken) {
  const Error& error = taken.status.error();
  if (error.code == ErrorCode::kCancelled) {
    LogWarning("{}: not sent: {}", taken.capture.where, error.message);
  } else if (error.code == ErrorCode::kUnavailable) {
    LogError("{}", error.ToString());
  } else {
    LogWarning("skipped {}", error.ToString());
    return false;
  }
  ended_ = true;
  source_->Interrupt();  // another worker may wait for a picture
  return true;
}

/// On any thread, while the sender is locked.
void Device::OnReceipt(const Receipt& receipt) {
  tally_.Add(receipt.delivery);
  if (receipt.delivery.ticket != 0) {
    const std::lock_guard lock(steering_mutex_);
    steering_.Heard(receipt.delivery);
  }
  const Delivery& delivery = receipt.delivery;
  if (changes_ && !delivery.recovered) {
    const bool stored =
        delivery.status == AckStatus::kStored || delivery.status == AckStatus::kDuplicate;
    changes_->Answered(delivery.sequence, stored, receipt.result);
  }
  if (shared_.trace != nullptr)
    TraceDelivery(*shared_.trace, options_.sender.device, receipt.delivery);
  if (shared_.answers != nullptr) shared_.answers->Heard(options_.sender.device, receipt);
  if (!options_.steering.latest) return;
  {
    const std::lock_guard lock(mutex_);
    ++moves_;
  }
  moved_.notify_all();
}

EdgeReport Device::report() const {
  EdgeReport r;
  {
    const std::lock_guard lock(mutex_);
    r = report_;
    if (!started_) return r;
  }
  const SenderCounts counts = sender_->counts();
  r.recovered = counts.recovered;
  r.kept = counts.kept;
  r.kept_bytes = counts.kept_bytes;
  r.dropped = counts.dropped;
  r.dead = counts.dead;
  r.dead_dropped = counts.dead_dropped;
  r.waiting = counts.waiting;
  r.unspooled = counts.unspooled;
  r.stale += counts.stale;
  r.window = counts.window;
  r.unsent_bytes = counts.unsent_bytes;
  if (shared_.answers != nullptr) r.answer_bytes = shared_.answers->waiting_bytes();
  r.connected = counts.connected;
  if (latest_ != nullptr) r.overtaken = latest_->overtaken();
  r.source = source_->state();
  if (r.source) r.losses = r.source->total();
  if (changes_) {
    const ChangeCounts changes = changes_->counts();
    r.unchanged = changes.unchanged;
    r.unchanged_audited = changes.audited;
    r.unchanged_differ = changes.differ;
  }
  tally_.Fill(r);
  return r;
}

}  // namespace fogline
