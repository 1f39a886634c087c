// Thousands of random lives of a cloud's answering side: workers that come and go, a store that is
// full, away or cannot take one row, repeats, a pile that is full, a stop in the middle. After
// every step and at the end, what devices are promised must hold.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "cloud/batch.h"
#include "cloud/group_commit.h"
#include "frame/answer.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr const char* kStoreName = "/var/lib/fogline/store.db";

/// Takes rows by their sequence, all of a Put or none.
struct FakeStore {
  enum Mood { kWell, kFull, kAway, kBroken } mood = kWell;
  std::set<uint64_t> bad;  // rows that it can never take
  std::set<uint64_t> rows;
  std::map<uint64_t, int> settled;

  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements) {
    if (mood == kFull) return Fail(ErrorCode::kExhausted, kStoreName, "is full");
    if (mood == kAway) return Fail(ErrorCode::kUnavailable, kStoreName, "does not answer");
    if (mood == kBroken) return Fail(ErrorCode::kInternal, kStoreName, "is broken");
    for (const Detection& row : batch) {
      if (bad.contains(row.sequence)) return Fail(ErrorCode::kInternal, kStoreName, "chokes");
    }
    std::vector<PutOutcome> outcomes;
    for (const Detection& row : batch) {
      const bool is_new = rows.insert(row.sequence).second;
      outcomes.push_back({is_new ? PutOutcome::kStored : PutOutcome::kDuplicate, row.sequence});
    }
    for (const Settlement& settlement : settlements) ++settled[settlement.sequence];
    return outcomes;
  }
};

/// A worker, or the store's thread.
struct Thread {
  std::optional<Finished> holds;  // and waits for room, or works on it
  bool works = false, commits = false, waits = false;
};

class World {
 public:
  struct Events {
    size_t answered = 0, refused = 0, not_now = 0, stored = 0, duplicates = 0, choked = 0;
    size_t by_workers = 0, joined = 0, largest = 0, waited = 0, dropped = 0;
  };

  explicit World(uint64_t seed)
      : random_(seed), workers_(1 + Below(4)), limits_(MakeLimits()), group_(limits_) {
    trouble_ = Below(4);
  }

  const std::string& Live(int steps) {
    const int stop = Chance(50) ? static_cast<int>(Below(static_cast<uint64_t>(steps))) : steps;
    for (int i = 0; i < steps && wrong_.empty(); ++i) {
      if (i == stop) Stop();
      Step();
      Must(group_.count() <= limits_.frames + 1, "the pile is beyond its bound");
      const bool sleeps = store_thread_.waits && !until_ && committer_ == nullptr;
      Must(!sleeps || group_.count() == 0, "frames wait for the store, and nobody will look");
    }
    if (wrong_.empty()) End();
    return wrong_;
  }
  const Events& events() const { return events_; }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  void Must(bool holds, const std::string& what) {
    if (!holds && wrong_.empty()) wrong_ = what;
  }
  GroupCommit::Limits MakeLimits() {
    GroupCommit::Limits limits;
    limits.frames = 2 + Below(40);
    limits.bytes = 1000;
    limits.workers_commit = workers_.size() > 1;
    return limits;
  }
  bool busy() const { return !arrived_.empty(); }

  void Step() {
    now_ += Nanos(int64_t{1} << Below(24));
    switch (Below(8)) {
      case 0:
      case 1:
        for (uint64_t i = Below(6); i > 0 && !stopping_; --i) Arrive();
        return;
      case 2:
      case 3:
        return Work(workers_[Below(workers_.size())]);
      case 4:
        return Look();
      case 5:
      case 6:
        for (uint64_t i = Below(40); i > 0; --i) Commit();
        return;
      default:
        if (trouble_ > 0) store_.mood = Chance(60) ? FakeStore::kWell : RandomMood();
        return;
    }
  }
  FakeStore::Mood RandomMood() { return static_cast<FakeStore::Mood>(1 + Below(3)); }

  void Arrive() {
    const bool repeats = next_ > 0 && Chance(20);
    const uint64_t sequence = repeats ? Below(next_) : next_++;
    if (!repeats && Chance(trouble_)) store_.bad.insert(sequence);
    Finished f;
    f.took = Chance(5) ? Nanos(Below(500'000)) : 2ms;
    f.sequence = sequence;
    f.run = ++frames_;  // an arrival's own number, so that each can be told from its repeat
    f.device = "cam";
    f.at = now_;
    if (Chance(3 * trouble_)) {
      f.worked = Chance(50) ? Fail(ErrorCode::kInvalid, "frame", "is nonsense")
                            : Fail(ErrorCode::kNotFound, "model", "is not there");
    } else {
      f.worked.emplace();
      f.worked->settlements.resize(Below(3), Settlement{"cam", 0, sequence, 1});
      if (f.worked->settlements.empty() || Chance(90)) {
        Detection& row = f.worked->detection.emplace();
        row.sequence = sequence;
        row.thumbnail.resize(Below(20) == 0 ? 1500 : Below(60));
      }
    }
    arrived_.push_back(std::move(f));
  }

  /// One step of a worker: takes a frame, or hands it over.
  void Work(Thread& worker) {
    if (worker.commits) return;
    if (!worker.holds) {
      if (arrived_.empty()) return;
      worker.holds = std::move(arrived_.front());
      arrived_.pop_front();
      return;
    }
    const bool row = worker.holds->has_row();
    switch (group_.Add(*worker.holds, busy())) {
      case GroupCommit::Turn::kWait:
        Must(worker.holds->has_row() == row, "a frame that waits is moved from");
        Must(group_.count() > 0, "a frame waits for room in an empty pile");
        ++events_.waited;
        return;
      case GroupCommit::Turn::kEnd:
        Must(closed_, "a frame is dropped before the end");
        ++dropped_;
        break;
      case GroupCommit::Turn::kCommit:
        Must(limits_.workers_commit && !busy(), "a worker commits that had better work");
        ++events_.by_workers;
        Begin(worker);
        break;
      case GroupCommit::Turn::kWake:
        store_thread_.waits = false;
        break;
      case GroupCommit::Turn::kGoOn:
        break;
    }
    worker.holds.reset();
  }

  /// The store's thread looks, where it is awake.
  void Look() {
    if (store_thread_.commits || (store_thread_.waits && (!until_ || now_ < *until_))) return;
    const auto [turn, patience] = group_.Look(busy(), now_);
    ended_ = ended_ || turn == GroupCommit::Turn::kEnd;
    if (turn == GroupCommit::Turn::kCommit) {
      store_thread_.waits = false;
      return Begin(store_thread_);
    }
    Must(!patience || (*patience > Nanos(0) && *patience <= GroupCommit::kPatience),
         "a commit waits for too long");
    if (patience) ++events_.joined;
    store_thread_.waits = true;
    until_.reset();
    if (patience) until_ = now_ + *patience;
  }

  void Begin(Thread& thread) {
    Must(committer_ == nullptr, "two commits at once");
    thread.commits = true;
    committer_ = &thread;
    group_.Take(batch_.frames());
    Must(!batch_.frames().empty() && batch_.frames().size() <= GroupCommit::kMostInBatch,
         "a commit of nothing, or of too much");
    events_.largest = std::max(events_.largest, batch_.frames().size());
    before_ = store_.rows;
    bad_in_batch_ = 0;
    for (const Finished& f : batch_.frames()) {
      const bool bad = f.has_row() && store_.bad.contains(f.worked->detection->sequence);
      bad_in_batch_ += bad ? 1 : 0;
    }
    was_well_ = true;
    action_ = batch_.Resume(Batch::Begun{}, now_);
  }

  /// One step of whoever commits.
  void Commit() {
    if (committer_ == nullptr) return;
    if (action_.kind == Batch::Action::kPut) {
      was_well_ = was_well_ && store_.mood == FakeStore::kWell;
      outcomes_ = store_.Put(action_.rows, action_.settlements);
      action_ = batch_.Resume(Batch::Put{&outcomes_}, now_);
    } else if (action_.kind == Batch::Action::kAnswer) {
      Answer(*action_.frame, *action_.ack, action_.error);
      action_ = batch_.Resume(Batch::Answered{}, now_);
    } else {
      Must(batch_.stored() == (store_.rows.size() > before_.size()),
           "new rows, and nobody is told");
      if (group_.Committed()) store_thread_.waits = false;
      committer_->commits = false;
      committer_ = nullptr;
    }
  }

  void Answer(const Finished& f, const Ack& ack, const Error* error) {
    ++events_.answered;
    Must(answered_.insert(f.run).second, "a frame is answered twice");
    Must(ack.run == f.run && ack.sequence == f.sequence, "an answer names another frame");
    const bool stored = ack.status == AckStatus::kStored || ack.status == AckStatus::kDuplicate;
    Must(stored == (error == nullptr) && stored == ack.message.empty(),
         "an answer without its reason");
    Must(ack.message.find(kStoreName) == std::string::npos, "a device hears where the store lies");
    if (!f.worked) {
      Must(ack.status == AnswerTo(f.worked.error()), "what is not worked through is misjudged");
      ++(ack.status == AckStatus::kRefused ? events_.refused : events_.not_now);
      return;
    }
    Must(stored || ack.status == AckStatus::kRetry, "what the store says is no fault of a frame");
    if (stored && f.has_row()) {
      Must(store_.rows.contains(f.sequence), "a frame is called stored that is not");
      Must(ack.status == AckStatus::kStored || seen_.contains(f.sequence),
           "a frame is called a duplicate that was never stored");
      seen_.insert(f.sequence);
      ++(ack.status == AckStatus::kStored ? events_.stored : events_.duplicates);
    }
    if (stored) return;
    ++events_.not_now;
    const bool bad = f.has_row() && store_.bad.contains(f.sequence);
    if (bad_in_batch_ > 0 && bad) ++events_.choked;
    // Of bad rows so few that all are found, each is alone with its trouble.
    Must(bad || !was_well_ || bad_in_batch_ > 4, "a good frame goes down with a bad one");
  }

  /// Nothing arrives any more; at times the pile is closed under the workers' hands.
  void Stop() {
    stopping_ = true;
    if (Chance(30)) Close();
  }
  void Close() {
    group_.Close();
    closed_ = true;
    store_thread_.waits = false;
  }

  void End() {
    store_.mood = FakeStore::kWell;
    for (int i = 0; i < 100'000 && wrong_.empty(); ++i) {
      now_ += 1ms;
      for (Thread& worker : workers_) Work(worker);
      Look();
      for (int j = 0; j < 50; ++j) Commit();
      const bool idle = std::ranges::none_of(
          workers_, [](const Thread& t) { return t.holds.has_value() || t.commits; });
      if (!idle || !arrived_.empty()) continue;
      if (ended_) break;
      if (!closed_) {
        Must(dropped_ == 0, "frames are dropped before the end");
        Close();
      }
    }
    Must(ended_ && committer_ == nullptr && group_.count() == 0, "it never ends");
    Must(answered_.size() + dropped_ == frames_, "frames have had no answer");
    events_.dropped = dropped_;
  }

  std::mt19937_64 random_;
  uint64_t trouble_ = 0;
  Nanos now_ = 1000s;
  std::string wrong_;
  Events events_;
  std::vector<Thread> workers_;
  Thread store_thread_;
  std::optional<Nanos> until_;  // the store's thread waits
  const GroupCommit::Limits limits_;
  GroupCommit group_;
  Batch batch_;
  Thread* committer_ = nullptr;
  Batch::Action action_;
  Result<std::vector<PutOutcome>> outcomes_;
  FakeStore store_;
  bool was_well_ = true, stopping_ = false, closed_ = false, ended_ = false;
  std::set<uint64_t> before_;
  size_t bad_in_batch_ = 0;
  std::deque<Finished> arrived_;
  uint64_t next_ = 0, frames_ = 0, dropped_ = 0;
  std::set<uint64_t> answered_, seen_;
};

TEST(Commit, KeepsItsPromisesInEveryWorld) {
  World::Events all;
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    World world(seed);
    const std::string& wrong = world.Live(200);
    ASSERT_EQ(wrong, "") << "seed " << seed;
    const World::Events& e = world.events();
    for (const auto member :
         {&World::Events::answered, &World::Events::refused, &World::Events::not_now,
          &World::Events::stored, &World::Events::duplicates, &World::Events::choked,
          &World::Events::by_workers, &World::Events::joined, &World::Events::waited,
          &World::Events::dropped}) {
      all.*member += e.*member;
    }
    all.largest = std::max(all.largest, e.largest);
  }
  // Enough has happened for the promises to mean something.
  EXPECT_GT(all.answered, 100'000U);
  EXPECT_GT(all.stored, 50'000U);
  EXPECT_GT(all.largest, GroupCommit::kCompany);
  for (const size_t count : {all.refused, all.not_now, all.duplicates, all.choked, all.by_workers,
                             all.joined, all.waited, all.dropped}) {
    EXPECT_GT(count, 300U);
  }
}

Finished Row(uint64_t sequence) {
  Finished f;
  f.took = 2ms;
  f.sequence = sequence;
  f.worked.emplace();
  f.worked->detection.emplace().sequence = sequence;
  return f;
}

struct Outcome {
  size_t puts = 0, stored = 0, not_now = 0;
};

Outcome CommitAll(Batch& batch, FakeStore& store) {
  Outcome outcome;
  auto action = batch.Resume(Batch::Begun{}, 0s);
  while (action.kind != Batch::Action::kDone) {
    if (action.kind == Batch::Action::kPut) {
      ++outcome.puts;
      const auto outcomes = store.Put(action.rows, action.settlements);
      action = batch.Resume(Batch::Put{&outcomes}, 0s);
    } else {
      ++(action.ack->status == AckStatus::kStored ? outcome.stored : outcome.not_now);
      action = batch.Resume(Batch::Answered{}, 0s);
    }
  }
  return outcome;
}

TEST(Batch, OneBadRowOfAThousandCostsTwentyPutsAndNoOtherRow) {
  Batch batch;
  FakeStore store;
  store.bad = {700};
  for (uint64_t i = 0; i < 1024; ++i) batch.frames().push_back(Row(i));
  const Outcome outcome = CommitAll(batch, store);
  EXPECT_EQ(outcome.stored, 1023U);
  EXPECT_EQ(outcome.not_now, 1U);
  EXPECT_EQ(outcome.puts, 21U);
}

TEST(Batch, AStoreThatTakesNothingIsNotAskedForEveryRow) {
  for (const auto& [mood, most] : {std::pair{FakeStore::kFull, size_t{1}},
                                   {FakeStore::kAway, size_t{1}},
                                   {FakeStore::kBroken, Batch::kMostFailures + 1}}) {
    Batch batch;
    FakeStore store;
    store.mood = mood;
    for (uint64_t i = 0; i < 1024; ++i) batch.frames().push_back(Row(i));
    const Outcome outcome = CommitAll(batch, store);
    EXPECT_EQ(outcome.not_now, 1024U);
    EXPECT_LE(outcome.puts, most);
  }
}

TEST(GroupCommit, WhileFramesWaitForAWorkerItWaitsForCompanyOrTheEnd) {
  using Turn = GroupCommit::Turn;
  GroupCommit group({.frames = 100, .bytes = 1000, .workers_commit = false});
  std::vector<Finished> batch;
  Finished frame = Row(0);
  EXPECT_EQ(group.Add(frame, true), Turn::kWake);
  EXPECT_EQ(group.Look(true, 10ms).patience, GroupCommit::kPatience);
  for (size_t i = 1; i < GroupCommit::kCompany; ++i) {
    frame = Row(i);
    EXPECT_EQ(group.Add(frame, true), i + 1 < GroupCommit::kCompany ? Turn::kGoOn : Turn::kWake);
  }
  EXPECT_EQ(group.Look(true, 11ms).turn, Turn::kCommit);
  group.Take(batch);
  EXPECT_EQ(batch.size(), GroupCommit::kCompany);
  frame = Row(99);
  EXPECT_EQ(group.Add(frame, false), Turn::kGoOn) << "whoever commits looks for more";
  EXPECT_TRUE(group.Committed());
  EXPECT_EQ(group.Look(true, 20ms).turn, Turn::kWait);
  EXPECT_EQ(group.Look(true, 23ms).patience, Nanos(1ms));
  EXPECT_EQ(group.Look(true, 24ms).turn, Turn::kCommit) << "nobody came";
  group.Take(batch);
  EXPECT_FALSE(group.Committed());
  EXPECT_EQ(group.Look(true, 30ms).patience, std::nullopt);
  frame = Row(100);
  EXPECT_EQ(group.Add(frame, true), Turn::kWake);
  EXPECT_EQ(group.Look(true, 30ms).patience, GroupCommit::kPatience);
  frame = Row(101);
  frame.took = 100us;
  EXPECT_EQ(group.Add(frame, true), Turn::kWake) << "it was little work, and waits for less";
  EXPECT_EQ(group.Look(true, 31ms).patience, Nanos(400us));
  EXPECT_EQ(group.Look(true, 32ms).turn, Turn::kCommit);
  group.Take(batch);
  EXPECT_FALSE(group.Committed());
  frame = Row(100);
  EXPECT_EQ(group.Add(frame, true), Turn::kWake);
  group.Close();
  EXPECT_EQ(group.Look(true, 40ms).turn, Turn::kCommit);
  group.Take(batch);
  EXPECT_TRUE(group.Committed());
  EXPECT_EQ(group.Look(true, 40ms).turn, Turn::kEnd);
}

}  // namespace
}  // namespace fogline
