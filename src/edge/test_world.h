// A random world for an outbox: a broker that loses, doubles, shuffles and delays, a cloud that
// refuses, asks for patience and goes away, a disk that fills and fails, restarts in between. What
// an outbox promises is checked after every step.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "edge/outbox.h"
#include "edge/test_cloud.h"
#include "edge/test_disk.h"

namespace fogline {

/// A device and its outbox, the line and the cloud, all of them moved by one seed. The clock is the
/// world's own.
class OutboxWorld {
 public:
  explicit OutboxWorld(uint64_t seed) : random_(seed) {
    options_.device = "cam";
    options_.window = 1 + Below(6);
    options_.patience = std::chrono::seconds(1) * (1 + Below(5));
    options_.most_patience = 8 * options_.patience;
    options_.disk = Below(3) > 0;
    options_.waits_for_disk = Below(2) > 0;
    options_.deadline = Below(4) == 0 ? Nanos(std::chrono::seconds(20)) : Nanos(0);
    options_.dead_letters = "dead";
    disk_.room = 4 + Below(40);
    disk_.oldest_go = !options_.waits_for_disk && Below(2) > 0;
    cloud_.tells_again = options_.deadline > Nanos(0);
    trouble_ = Below(4);
    Start();
    if (Chance(75)) Connect();
  }

  /// What went wrong; empty when nothing did.
  const std::string& Live(int steps) {
    for (int i = 0; i < steps && wrong_.empty(); ++i) {
      Step();
      Check();
    }
    if (wrong_.empty()) Heal();
    return wrong_;
  }
  /// What has happened in this world, so that a test can see that enough has.
  struct Events {
    size_t published = 0, stored = 0, refused = 0, unburied = 0, aside = 0, dropped = 0, stale = 0;
    size_t told = 0, lost = 0, runs = 0, overtaken = 0;
    void Add(const Events& other) {
      for (const auto member : {&Events::published, &Events::stored, &Events::refused,
                                &Events::unburied, &Events::aside, &Events::dropped, &Events::stale,
                                &Events::told, &Events::lost, &Events::runs, &Events::overtaken}) {
        this->*member += other.*member;
      }
    }
  };
  Events events() const {
    Events e = events_;
    e.stored = cloud_.stored.size();
    e.refused = cloud_.refused.size();
    e.dropped = disk_.dropped.size();
    e.stale = stale_;
    e.told = cloud_.told.size();
    e.lost = lost_.size();
    e.runs = run_;
    return e;
  }

 private:
  using Name = TestName;
  using Bytes = std::vector<std::byte>;
  struct Packet {
    Bytes bytes;
    uint64_t reply_to;  // a run
  };
  struct Air {
    std::span<const std::byte> bytes;
    Bytes copy;
    std::optional<Error> error;
  };

  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  void Wrong(const std::string& what) {
    if (wrong_.empty())
      wrong_ = fmt::format("at {} ms: {}", (now_ - kBegin) / std::chrono::milliseconds(1), what);
  }
  void Must(bool holds, const char* what) {
    if (!holds) Wrong(what);
  }
  void Must(const std::string& trouble) {
    if (!trouble.empty()) Wrong(trouble);
  }

  void Start() {
    options_.run = ++run_;
    outbox_ = std::make_unique<Outbox>(options_);
    recovered_ = disk_.size();
    accepted_ = 0;
    delivered_.clear();
    dropped_before_ = disk_.dropped.size();
    last_published_.clear();
    to_settle_.clear();
    air_.reset();
    hastened_ = connected_ = link_up_ = waits_ = false;
    Feed(Outbox::TimePassed{});
  }

  /// The process dies: what no disk keeps is lost.
  void Restart() {
    stale_ += outbox_->counts().stale;
    for (const auto& [name, shot] : cloud_.names) {
      if (name.first == run_ && !delivered_.contains(name) && !disk_.Holds(name)) {
        lost_.insert(name);
      }
    }
    std::erase_if(unmarked_, [&](const auto&) { return Chance(70); });
    disk_.Restart(unmarked_);
    unmarked_.clear();
    to_device_.clear();
    Start();
  }

  void Feed(Outbox::Event event) {
    for (int i = 0; i < 5000; ++i) {
      if (outbox_->counts().window == 0) quiet_since_ = now_;
      const Outbox::Action action = outbox_->Resume(event, now_);
      if (const auto* const offered = std::get_if<Outbox::Offered>(&event))
        Register(*offered->frame);
      if (action.terminal()) {
        last_ = action.kind;
        return;
      }
      if (!wrong_.empty()) return;
      if (action.kind == Outbox::Action::kPublish) {
        Publish(action.bytes);
        last_ = Outbox::Action::kNothing;
        if (!well_ && Chance(40)) return;  // it takes its time
        event = Landed();
      } else {
        event = Do(action);
      }
    }
    Wrong("an event never ends");
  }

  void Publish(std::span<const std::byte> bytes) {
    Must(!air_, "two frames are published at once");
    Must(connected_, "published without a connection");
    ++events_.published;
    air_ = Air{bytes, Bytes(bytes.begin(), bytes.end()), std::nullopt};
    Frame frame;
    if (!ParseFrame(bytes, frame)) return Wrong("what is published is no frame");
    const Name name(frame.run, frame.sequence);
    Must(cloud_.Sent(frame, run_));
    if (!link_up_) {
      air_->error = Error{ErrorCode::kUnavailable, "link", "is not connected"};
    } else if (limit_ > 0 && bytes.size() > limit_) {
      air_->error = Error{ErrorCode::kUnsupported, "broker", "is too large"};
      cloud_.refused.insert(name);
    } else {
      const auto last = last_published_.find(name);
      Must(hastened_ || last == last_published_.end() || now_ - last->second >= options_.patience,
           "a frame is repeated without patience");
      last_published_[name] = now_;
      if (!Chance(Loss())) to_cloud_.push_back({air_->copy, run_});
      if (Chance(Loss() / 2)) to_cloud_.push_back({air_->copy, run_});
    }
  }

  Outbox::Event Landed() {
    Must(std::ranges::equal(air_->bytes, air_->copy), "bytes changed while they were published");
    const auto air = std::exchange(air_, std::nullopt);
    if (!air->error) return Outbox::Published{nullptr};
    error_ = *air->error;
    return Outbox::Published{&error_};
  }

  Outbox::Event Do(const Outbox::Action& action) {
    using Action = Outbox::Action;
    const auto failure = [this](const Status& status) -> const Error* {
      if (status) return nullptr;
      error_ = status.error();
      return &error_;
    };
    switch (action.kind) {
      case Action::kKeep: {
        SpoolPlace place;
        const Error* const error =
            failure(disk_.Append(*action.record, action.bytes, action.under_way, place));
        return Outbox::Kept{place, error};
      }
      case Action::kTake:
        return Outbox::Taken{disk_.Take(read_) ? &read_ : nullptr, nullptr};
      case Action::kTakeBack: {
        const Error* const error = failure(disk_.TakeBack(action.place, read_));
        return Outbox::Taken{error == nullptr ? &read_ : nullptr, error};
      }
      case Action::kSetAside: {
        const bool held = disk_.SetAside(action.place);
        if (held && action.delivery != nullptr) {
          disk_.Find(action.place)->refused = true;
          ++events_.unburied;
        }
        ++events_.aside;
        return Outbox::SetAside{held};
      }
      case Action::kForget:
        Forget(action.place);
        return Outbox::Done{};
      case Action::kBury:
        if (dead_fails_) return Outbox::Buried{failure(Fail(ErrorCode::kExhausted, "dead", "no"))};
        buried_.insert({action.letter->run, action.letter->sequence});
        return Outbox::Buried{nullptr};
      case Action::kDeliver:
        Deliver(*action.delivery);
        return Outbox::Done{};
      default:
        Wrong("an action of no kind");
        return Outbox::Done{};
    }
  }

  void Forget(SpoolPlace place) {
    Must(place.segment == 1, "what was never on the disk is forgotten");
    TestDisk::Item* const item = disk_.Find(place);
    if (item == nullptr) return;
    const Name name(item->frame.run, item->frame.sequence);
    Must(item->state == TestDisk::kUnderWay, "what is not under way is forgotten");
    Must(cloud_.stored.contains(name) || buried_.contains(name) || options_.deadline > Nanos(0),
         "a frame is forgotten that is neither stored nor refused");
    unmarked_.push_back(*item);
    disk_.Forget(place);
  }

  void Deliver(const Delivery& d) {
    const Name name(d.run, d.sequence);
    Must(delivered_.insert(name).second, "a frame is delivered twice");
    Must(cloud_.names.contains(name), "a frame is delivered that nobody made");
    if (d.status == AckStatus::kRefused) {
      Must(cloud_.refused.contains(name), "a frame is given up that nobody refused");
      Must(!options_.disk || buried_.contains(name) || dead_fails_, "a refused frame is not kept");
    } else {
      Must(cloud_.stored.contains(name), "a frame is called stored that is not");
    }
    if (!std::isnan(d.stages.network)) to_settle_.insert(name);
  }

  // What happens.

  void Step() {
    now_ += Nanos(int64_t{1} << Below(32));
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        return Offer();
      case 3:
      case 4:
      case 5:
        return Arrive();
      case 6:
      case 7:
      case 8:
        return Hear();
      case 9:
        if (air_) Feed(Landed());
        return;
      case 10:
        return Feed(Outbox::TimePassed{});
      default:
        return Happen();
    }
  }

  void Offer() {
    if (!waits_) {
      TestShot shot;
      shot.model = Below(3);
      shot.bytes = Below(10) == 0 ? 1500 + Below(3000) : Below(200);
      shot.poisoned = Chance(5 * trouble_);
      shot.troubles = Chance(5 * trouble_) ? static_cast<int>(1 + Below(3)) : 0;
      cloud_.shots.push_back(shot);
      asked_ = now_;
    }
    const TestShot& shot = cloud_.shots.back();
    Frame frame;
    frame.model = shot.model;
    frame.captured_us = static_cast<int64_t>(cloud_.shots.size());
    const Bytes data(shot.bytes, std::byte{5});
    frame.payloads.push_back({Role::kThumbnail, 4, 90, DType::kU8, Shape{1, 1, 3}, data});
    const uint64_t dropped = outbox_->counts().dropped;
    Feed(Outbox::Offered{&frame, asked_, asked_, false, disk_.Count(TestDisk::kWaiting) > 0});
    Must(last_ != Outbox::Action::kRefuse, "a good frame is refused");
    waits_ = last_ == Outbox::Action::kWait;
    const Name name(frame.run, frame.sequence);
    if (waits_) {
      cloud_.names.erase(name);
      return;
    }
    ++accepted_;
    if (outbox_->counts().dropped > dropped) lost_.insert(name);
  }

  void Register(const Frame& frame) {
    if (frame.run != 0) Must(cloud_.Name(frame));  // else it has to wait
  }

  /// One of the packets on their way to the cloud arrives.
  void Arrive() {
    if (to_cloud_.empty()) return;
    const auto at = to_cloud_.begin() + static_cast<ptrdiff_t>(well_ ? 0 : Below(to_cloud_.size()));
    const Packet packet = std::move(*at);
    to_cloud_.erase(at);
    if (!cloud_.up) return;
    Frame frame;
    if (!ParseFrame(packet.bytes, frame)) return Wrong("the cloud cannot read a frame");
    const Ack ack = cloud_.Take(frame);
    Must(cloud_.doubles() == 0, "a picture is stored under two names");
    if (packet.reply_to != run_ || Chance(Loss())) return;
    to_device_.push_back(ack);
    if (Chance(Loss() / 2)) to_device_.push_back(ack);
  }

  /// One of the answers on their way to the device arrives.
  void Hear() {
    if (to_device_.empty()) return;
    const auto at = to_device_.begin() + static_cast<ptrdiff_t>(Below(to_device_.size()));
    const Ack ack = *at;
    to_device_.erase(at);
    if (!link_up_) return;
    if (ack.status == AckStatus::kRetry) last_published_.erase({ack.run, ack.sequence});
    quiet_since_ = now_;
    if (air_) ++events_.overtaken;
    Feed(Outbox::Answered{&ack});
  }

  void Happen() {
    switch (Below(12)) {
      case 0:
        link_up_ = false;
        std::erase_if(to_cloud_, [&](const auto&) { return Chance(50); });
        return;
      case 1:
        return link_up_ ? void() : Disconnect();
      case 2:
      case 3:
      case 4:
        return link_up_ ? void() : Connect();
      case 5:
        cloud_.up = !cloud_.up;
        return;
      case 6:
        if (!cloud_.missing.erase(Below(3)) && trouble_ > 0) cloud_.missing.insert(Below(3));
        return;
      case 7:
        disk_.full = !disk_.full && Chance(40);
        return;
      case 8:
        disk_.unreadable = !disk_.unreadable && Chance(40);
        return;
      case 9:
        dead_fails_ = !dead_fails_ && Chance(40);
        return;
      case 10:
        if (Chance(25)) Restart();
        return;
      default:
        if (!link_up_ || cloud_.up) return;
        last_published_.clear();
        hastened_ = true;
        return Feed(Outbox::NobodyListens{});
    }
  }
  void Disconnect() {
    connected_ = false;
    Feed(Outbox::Disconnected{});
  }
  void Connect() {
    if (connected_) Disconnect();
    constexpr std::array<size_t, 4> kLimits{0, 0, 2000, 3500};
    limit_ = well_ ? 0 : kLimits[Below(kLimits.size())];
    link_up_ = connected_ = true;
    last_published_.clear();
    Feed(Outbox::Connected{});
  }

  // What must hold.

  void Check() {
    const OutboxCounts counts = outbox_->counts();
    Must(counts.window <= options_.window, "the window is beyond its size");
    const size_t in_window = outbox_->CountWithout([](SpoolPlace) { return false; });
    const size_t given_up = counts.stale + counts.dropped + disk_.dropped.size() - dropped_before_;
    const size_t on_disk = disk_.Count(TestDisk::kWaiting) + disk_.Count(TestDisk::kAside);
    const size_t made = accepted_ + recovered_;
    const size_t known = delivered_.size() + given_up + in_window + on_disk;
    if (made != known) Wrong(fmt::format("{} frames were made, {} are accounted for", made, known));
    Must(counts.waiting <= disk_.room + disk_.dropped.size() - dropped_before_,
         "more waits aside than was ever kept");
    const bool empty = counts.window == 0;
    Must(outbox_->Silence(now_) == (empty ? Nanos(0) : now_ - quiet_since_),
         "silence is not the time without an answer while something waits");
    Must(outbox_->Rest(now_) > Nanos(0), "no rest at all");
  }

  /// The world is well: everything comes to its end, by the outbox's own clock.
  void Heal() {
    well_ = true;
    cloud_.up = true;
    cloud_.missing.clear();
    disk_.full = disk_.unreadable = dead_fails_ = false;
    if (air_) Feed(Landed());
    link_up_ = false;
    Connect();
    const auto done = [this] {
      return outbox_->idle() && disk_.Count(TestDisk::kWaiting) == 0 && !waits_;
    };
    for (const bool closing : {false, true}) {
      for (int i = 0; i < 2000 && wrong_.empty() && (closing ? !outbox_->idle() : !done()); ++i) {
        while (!to_cloud_.empty()) Arrive();
        while (!to_device_.empty()) Hear();
        if (waits_) Offer();
        now_ += outbox_->Rest(now_);
        Feed(Outbox::TimePassed{});
        Check();
      }
      Must(done(), "the world is well, and not everything is stored");
      stale_ += closing ? 0 : outbox_->counts().stale;
      if (!closing) Feed(Outbox::Closing{});
    }
    Account();
  }

  void Account() {
    size_t missing = 0;
    for (const auto& [name, shot] : cloud_.names) {
      const bool known = cloud_.stored.contains(name) || cloud_.refused.contains(name) ||
                         lost_.contains(name) || disk_.dropped.contains(name);
      missing += known ? 0 : 1;
    }
    if (missing > stale_) Wrong(fmt::format("{} frames are lost, {} stale", missing, stale_));
    if (disk_.dropped.size() > dropped_before_) return;  // and what they would have told
    for (const Name& name : to_settle_) Must(cloud_.told.contains(name), "a time is never told");
  }

  uint64_t Loss() const { return well_ ? 0 : trouble_ * 8; }

  static constexpr Nanos kBegin = std::chrono::seconds(1000);
  std::mt19937_64 random_;
  OutboxOptions options_;
  uint64_t trouble_ = 0;  // how bad a world it is
  Nanos now_ = kBegin;
  std::string wrong_;
  Events events_;
  // The device.
  std::unique_ptr<Outbox> outbox_;
  uint64_t run_ = 0;
  Outbox::Action::Kind last_ = Outbox::Action::kNothing;  // how the last event ended
  TestDisk disk_;
  SpoolFrame read_;
  Error error_;
  bool dead_fails_ = false, waits_ = false;
  Nanos asked_{0}, quiet_since_{0};
  size_t accepted_ = 0, recovered_ = 0, dropped_before_ = 0, stale_ = 0;
  std::vector<TestDisk::Item> unmarked_;  // forgotten, and maybe without a mark of it
  std::set<Name> delivered_, to_settle_;  // in this run
  // The line and the cloud.
  bool link_up_ = false, connected_ = false, well_ = false, hastened_ = false;
  size_t limit_ = 0;
  std::optional<Air> air_;
  std::vector<Packet> to_cloud_;
  std::vector<Ack> to_device_;
  std::map<Name, Nanos> last_published_;
  // Everything that ever was.
  TestCloud cloud_;
  std::set<Name> buried_, lost_;
};

}  // namespace fogline
