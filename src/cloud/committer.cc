#include "cloud/committer.h"

#include <algorithm>

namespace fogline {

Committer::Committer(const GroupCommit::Limits& limits, Parts parts)
    : parts_(std::move(parts)), group_(limits), thread_([this] { Loop(); }) {}

void Committer::Hand(Finished frame) {
  std::unique_lock lock(mutex_);
  for (;;) {
    switch (group_.Add(frame, busy())) {
      case GroupCommit::Turn::kWait:
        room_.wait(lock);
        continue;
      case GroupCommit::Turn::kWake:
        lock.unlock();
        filled_.notify_one();
        return;
      case GroupCommit::Turn::kCommit:
        return Commit(lock);
      case GroupCommit::Turn::kGoOn:
      case GroupCommit::Turn::kEnd:
        return;
    }
  }
}

void Committer::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto [turn, patience] = group_.Look(busy(), Clock::Real().Steady());
    if (turn == GroupCommit::Turn::kEnd) return;
    if (turn == GroupCommit::Turn::kCommit) {
      Commit(lock);
    } else if (patience) {
      filled_.wait_for(lock, *patience);
    } else {
      filled_.wait(lock);
    }
  }
}

void Committer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    group_.Close();
  }
  filled_.notify_all();
  room_.notify_all();
  if (thread_.joinable()) thread_.join();
}

/// Commits what has piled up; the mutex is not held meanwhile.
void Committer::Commit(std::unique_lock<std::mutex>& lock) {
  group_.Take(batch_.frames());
  lock.unlock();
  room_.notify_all();
  CommitBatch();
  lock.lock();
  if (group_.Committed()) filled_.notify_one();
}

void Committer::CommitBatch() {
  const Clock& clock = Clock::Real();
  const bool several = batch_.frames().size() > 1;  // answers that may share packets
  bool holds = false;
  Result<std::vector<PutOutcome>> outcomes;
  Batch::Action action = batch_.Resume(Batch::Begun{}, clock.Steady());
  while (action.kind != Batch::Action::kDone) {
    if (action.kind == Batch::Action::kPut) {
      outcomes = parts_.store->Put(action.rows, action.settlements);
      parts_.stats->commit_failed_us = outcomes ? 0 : clock.WallMicros();
      if (outcomes) {
        ++parts_.stats->commits;
        parts_.stats->committed_us = clock.WallMicros();
      } else {
        parts_.complaints->Say(outcomes.error().ToString());
      }
      action = batch_.Resume(Batch::Put{&outcomes}, clock.Steady());
      continue;
    }
    if (several && !std::exchange(holds, true)) parts_.link->Hold();
    Answer(action);
    action = batch_.Resume(Batch::Answered{}, clock.Steady());
  }
  batch_.frames().clear();  // and with them their places, before anybody hears of it
  if (holds) parts_.link->Flush();
  if (batch_.stored()) parts_.stored();
}

void Committer::Answer(const Batch::Action& answer) {
  const Finished& frame = *answer.frame;
  const Ack& ack = *answer.ack;
  if (answer.error != nullptr) {
    parts_.stats->CountUnstored(ack.status, answer.error->code);
    parts_.unstored->Count(frame.device, ack.status, *answer.error, Clock::Real().Steady());
  } else if (frame.has_row()) {
    const bool again = ack.status == AckStatus::kDuplicate;
    ++(again ? parts_.stats->duplicates : parts_.stats->stored);
    if (const auto& audited = frame.worked->audited; audited && !again) {
      ++parts_.stats->audited;
      if (!audited->agrees) ++parts_.stats->audits_differ;
      parts_.audits->Count(*audited);
    }
  }
  if (!frame.answer_to.empty()) {
    WriteAck(ack, answer_);
    // A lost answer costs a repeat of the frame, which the store recognises.
    (void)parts_.link->Publish(frame.answer_to, answer_, 0);
  }
  if (parts_.trace != nullptr && frame.has_row()) Trace(frame);
}

/// The bars of a frame on the cloud's side of a time line.
void Committer::Trace(const Finished& f) {
  const std::string name = TraceFile::NameOf(f.device, f.run, f.sequence);
  Nanos at = f.at;
  const auto bar = [&](const char* what, uint32_t us) {
    parts_.trace->Bar(name, what, at, Nanos(us * int64_t{1000}));
    at += Nanos(us * int64_t{1000});
  };
  bar("queue", f.queue_us);
  bar("decode", f.worked->stages.decode);
  bar("suffix", f.worked->stages.suffix);
  at = batch_.store_began();
  bar("store", batch_.store_us());
}

}  // namespace fogline
