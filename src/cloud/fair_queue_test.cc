// Whose turn it is, through thousands of random worlds, and one flood on a clock that is reckoned.
#include "cloud/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/stats.h"

namespace fogline {
namespace {

struct QueuedFrame {
  int device = 0;
  uint64_t number = 0;
  size_t bytes = 0;
  double us = 0;
};
using TestQueue = FairQueue<QueuedFrame>;

std::string CamName(int device) { return "cam-" + std::to_string(device); }

/// A queue beside what is obviously in it.
class QueueWorld {
 public:
  QueueWorld(const FairLimits& limits, int devices, double most_us, uint32_t seed)
      : limits_(limits), devices_(devices), most_us_(most_us), random_(seed), queue_(limits) {}

  void Offer() {
    QueuedFrame frame{static_cast<int>(random_() % static_cast<uint32_t>(devices_)), next_++,
                      1 + random_() % 1000,
                      1 + static_cast<double>(random_() % 1000) / 1000 * most_us_};
    const QueuedFrame offered = frame;
    auto done = queue_.Offer(CamName(frame.device), frame, frame.bytes, frame.us);
    for (const QueuedFrame& gone : done.put_off) {
      auto& line = waiting_[gone.device];
      ASSERT_NE(gone.device, offered.device);
      ASSERT_EQ(line.back().number, gone.number) << "the last one goes, and the order stays";
      line.pop_back();
      ASSERT_FALSE(line.empty()) << "nobody loses the only frame";
    }
    if (done.entry == TestQueue::Entry::kTaken) {
      if (waiting_[offered.device].empty()) served_since_[offered.device] = 0;
      waiting_[offered.device].push_back(offered);
    } else if (done.entry == TestQueue::Entry::kHold) {
      ASSERT_GE(CountWaiting(), 1U) << "an empty queue takes anything";
    } else {
      ASSERT_FALSE(waiting_[offered.device].empty()) << "who has nothing waiting is not put off";
    }
    Check();
  }

  void Take() {
    const auto taken = queue_.Take();
    ASSERT_EQ(taken.has_value(), CountWaiting() > 0) << "work-conserving";
    if (!taken) return;
    const QueuedFrame& frame = taken->value;
    ASSERT_EQ(taken->device, CamName(frame.device));
    auto& line = waiting_[frame.device];
    ASSERT_EQ(line.front().number, frame.number) << "first in, first out, within a device";
    line.pop_front();
    // As long as all others together may have two turns in every round that the device needs to pay
    // for its largest frame.
    const double rounds = most_us_ / TestQueue::kQuantumUs + 3;
    const double most = 2 * rounds * devices_ * (TestQueue::kQuantumUs + most_us_);
    for (auto& [device, others] : waiting_) {
      served_since_[device] += frame.us;
      if (device == frame.device) served_since_[device] = 0;
      if (!others.empty()) {
        ASSERT_LE(served_since_[device], most) << "starved";
      }
    }
    queue_.Worked(taken->device, taken->us, frame.us);
    Check();
  }

  void Step() { random_() % 5 < 3 ? Offer() : Take(); }
  size_t CountWaiting() const {
    size_t count = 0;
    for (const auto& [device, line] : waiting_) count += line.size();
    return count;
  }

 private:
  void Check() {
    size_t bytes = 0;
    for (const auto& [device, line] : waiting_) {
      double us = 0;
      for (const QueuedFrame& frame : line) {
        us += frame.us;
        bytes += frame.bytes;
      }
      if (line.size() > limits_.device_frames) {
        ASSERT_LE(us, limits_.device_us + 1e-3);
      }
    }
    ASSERT_EQ(queue_.count(), CountWaiting());
    ASSERT_EQ(queue_.bytes(), bytes);
    ASSERT_LE(queue_.count(), limits_.frames);
    if (queue_.count() > 1) {
      ASSERT_LE(bytes, limits_.bytes);
    }
    ASSERT_LE(queue_.devices(), 2 * limits_.frames + 1);
  }

  const FairLimits limits_;
  const int devices_;
  const double most_us_;
  std::mt19937 random_;
  TestQueue queue_;
  std::map<int, std::deque<QueuedFrame>> waiting_;
  std::map<int, double> served_since_;  // of others, since a device's last turn
  uint64_t next_ = 0;
};

TEST(FairQueue, NobodyStarvesAndNothingIsUnboundedInAnyWorld) {
  std::mt19937 random(20261127);
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    FairLimits limits;
    limits.frames = 1 + random() % 30;
    limits.bytes = 1 + random() % 20'000;
    limits.device_us = 1 + random() % 50'000;
    limits.little_us = 1 + random() % 5'000;
    limits.device_frames = 1 + random() % 8;
    QueueWorld world(limits, 1 + static_cast<int>(random() % 40), random() % 2 == 0 ? 100 : 8000,
                     seed);
    for (int i = 0; i < 150; ++i) {
      world.Step();
      if (HasFatalFailure()) FAIL() << "world " << seed;
    }
    while (world.CountWaiting() > 0 && !HasFatalFailure()) world.Take();
    if (HasFatalFailure()) FAIL() << "world " << seed;
  }
}

/// Two that always have something waiting get the same time, whatever a frame of theirs takes, and
/// even where nobody knew what it takes.
TEST(FairQueue, TimeIsSharedNotFrames) {
  TestQueue queue({.frames = 100'000});
  std::map<std::string, double> took{{"heavy", 7000}, {"light", 50}}, given;
  const auto offer = [&] {
    for (const auto& [device, us] : took) {
      QueuedFrame frame;
      (void)queue.Offer(device, frame, 1, 100);
    }
  };
  offer();
  for (int i = 0; i < 20'000; ++i) {
    offer();
    const auto taken = queue.Take();
    ASSERT_TRUE(taken);
    const double us = took[taken->device];
    queue.Worked(taken->device, taken->us, us);
    given[taken->device] += us;
  }
  EXPECT_NEAR(given["heavy"], given["light"], 2 * (TestQueue::kQuantumUs + 7000));
}

/// One worker, 950 heavy frames a second of one device beside honest ones, and what an honest frame
/// waits: at most for the heavy one that a worker has begun. A plain queue is held against it.
TEST(FairQueue, AFloodCostsTheOthersOneFrameAndIsGoneAtOnce) {
  constexpr double kHeavyUs = 7000, kResultUs = 50, kFloodSeconds = 20;
  TestQueue queue({});
  double now = 0, next_flood = 0, next_honest = 1000, busy_until = 0;
  std::map<uint64_t, double> sent;
  std::vector<double> waited;
  uint64_t number = 0, put_off = 0;
  const double end = kFloodSeconds * 1e6;
  while (now < end || queue.count() > 0) {
    now = std::min({now < end ? next_flood : 1e18, now < end ? next_honest : 1e18,
                    queue.count() > 0 ? std::max(now, busy_until) : 1e18});
    if (now >= next_flood && now < end) {
      QueuedFrame frame{0, number++, 8000, kHeavyUs};
      const auto offered = queue.Offer("flood", frame, frame.bytes, frame.us);
      put_off += offered.entry == TestQueue::Entry::kTaken ? 0 : 1;
      next_flood += 1e6 / 950;
    }
    if (now >= next_honest && now < end) {
      QueuedFrame frame{1, number, 100, kResultUs};
      sent[number++] = now;
      ASSERT_EQ(queue.Offer("honest", frame, frame.bytes, frame.us).entry,
                TestQueue::Entry::kTaken);
      next_honest += 5e5;
    }
    if (now < busy_until) continue;
    if (const auto taken = queue.Take()) {
      busy_until = now + taken->value.us;
      if (taken->value.device == 1) waited.push_back(busy_until - sent[taken->value.number]);
    }
    if (now >= end) {
      next_flood = next_honest = 1e18;
    }
  }
  EXPECT_EQ(waited.size(), sent.size());
  EXPECT_LE(Summarize(waited).max, kHeavyUs + kResultUs + 1);
  EXPECT_GT(put_off, 15'000U);
  EXPECT_LE(busy_until - end, 5e6) << "all queues are empty";
}

TEST(FairQueue, BurstsOfLittleWorkAreHeldNotPutOff) {
  TestQueue queue({.frames = 4});
  for (int i = 0; i < 4; ++i) {
    QueuedFrame frame;
    ASSERT_EQ(queue.Offer("a", frame, 1, 50).entry, TestQueue::Entry::kTaken);
  }
  QueuedFrame frame;
  EXPECT_EQ(queue.Offer("a", frame, 1, 50).entry, TestQueue::Entry::kHold);
  EXPECT_EQ(queue.Offer("b", frame, 1, 50).entry, TestQueue::Entry::kHold);
  ASSERT_TRUE(queue.Take());
  EXPECT_EQ(queue.Offer("b", frame, 1, 50).entry, TestQueue::Entry::kTaken);
}

TEST(FairQueue, WhoHasLittleFindsRoomWithWhoHasMost) {
  TestQueue queue({.frames = 8});
  for (uint64_t i = 0; i < 8; ++i) {
    QueuedFrame frame{0, i, 1, 0};
    ASSERT_EQ(queue.Offer("much", frame, 1, 20'000).entry, TestQueue::Entry::kTaken);
  }
  QueuedFrame frame;
  EXPECT_EQ(queue.Offer("much", frame, 1, 20'000).entry, TestQueue::Entry::kNotNow);
  const auto offered = queue.Offer("little", frame, 1, 50);
  EXPECT_EQ(offered.entry, TestQueue::Entry::kTaken);
  ASSERT_EQ(offered.put_off.size(), 1U);
  EXPECT_EQ(offered.put_off[0].number, 7U);
}

}  // namespace
}  // namespace fogline
