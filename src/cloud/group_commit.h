// Who commits what is worked through, and when: alone at once, or together with others.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "cloud/batch.h"

namespace fogline {

/// What is worked through waits here for the store: a bounded pile. One commit runs at a time, and
/// takes along all that has piled up meanwhile: at thousands of frames a second one sync of the
/// disk for many is what makes a slow disk bearable. A worker that has nothing else to do commits
/// by itself, so that no other thread has to wake up first; where more is going on, the store's
/// thread does, and while frames wait for a worker it gives others a moment to join. A state
/// machine without lock, clock or thread: the driver locks, waits and wakes as it is told.
class GroupCommit {
 public:
  static constexpr size_t kMostInBatch = 1024;
  /// While frames wait for a worker, a commit waits for so much company, or so long: alone it would
  /// take the processor from the workers for a quarter of a millisecond.
  static constexpr size_t kCompany = 16;
  static constexpr Nanos kPatience = std::chrono::milliseconds(4);
  /// But no frame waits for longer than so many times as long as it was worked on: company is
  /// others like it, and a result among pictures would wait for what they take.
  static constexpr int kOwnTimes = 4;

  struct Limits {
    size_t frames = 1024;
    size_t bytes = size_t{64} << 20;  // of pictures in them; one frame fits however large it is
    bool workers_commit = true;       // an only worker does not: the next frame would wait
  };

  enum class Turn {
    kGoOn,    // a worker goes on: it is in the pile
    kWake,    // the same, and the store's thread has something to look at
    kCommit,  // take the batch and commit it, then say Committed
    kWait,    // a worker, for room; the store's thread, for a wake-up or `patience`
    kEnd,     // closed: a worker's frame is dropped; for the store's thread nothing is left
  };

  explicit GroupCommit(const Limits& limits) : limits_(limits) {}

  /// A worker brings a frame, which is moved from unless it has to wait or the pile is closed.
  /// `busy`: other frames wait for a worker.
  Turn Add(Finished& frame, bool busy);

  struct Looked {
    Turn turn = Turn::kWait;  // or kCommit, kEnd
    std::optional<Nanos> patience;
  };
  /// The store's thread looks what there is to do.
  Looked Look(bool busy, Nanos now);

  /// After kCommit: replaces `batch` by what is committed.
  void Take(std::vector<Finished>& batch);
  /// The batch is stored and answered. True when more has piled up: the store's thread has
  /// something to look at.
  bool Committed();
  /// No more frames; those in the pile are still committed.
  void Close() { closed_ = true; }

  size_t count() const { return pile_.size(); }
  /// Of what waits for a commit, without what is being committed.
  size_t bytes() const { return bytes_; }

 private:
  static size_t BytesOf(const Finished& frame);
  bool Full(size_t bytes) const;
  Turn Commit();

  const Limits limits_;
  std::vector<Finished> pile_;
  size_t bytes_ = 0;
  bool committing_ = false, closed_ = false;
  std::optional<Nanos> joining_until_;
  Nanos patience_ = kPatience;  // the least of the pile's
};

}  // namespace fogline
