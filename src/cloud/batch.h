// One commit: frames that were worked through become rows of the store, and each gets its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/device_windows.h"
#include "cloud/worker.h"
#include "frame/ack.h"
#include "store/store.h"

namespace fogline {

/// A frame worked through (or not: then why), on its way to the store.
struct Finished {
  Result<Worked> worked;
  uint64_t run = 0, sequence = 0;
  std::string device, answer_to;
  Nanos at{0};            // when it arrived
  uint32_t queue_us = 0;  // that it waited for a worker
  Nanos took{0};          // that it was worked on
  std::optional<DeviceWindows::Place> place;

  /// Whether there is something to store.
  bool has_row() const { return worked && worked->detection; }
};

/// Makes of an answer one that says why the frame is not stored, as far as devices are told.
void Blame(Ack& ack, AckStatus status, const Error& error);

/// Decides what is put into the store together and what each frame is answered: stored only after
/// the store has said so. A Put is all or nothing, so that one row that a store cannot take would
/// take all others with it: after a failure that may be one row's, halves are tried on their own,
/// until what fails is alone. A state machine without store, link, clock or thread: whoever drives
/// it fills `frames` and carries out one action after the other.
///
///     action = batch.Resume(Batch::Begun{}, now);
///     while (action.kind != kDone) action = batch.Resume(how it went, now);
class Batch {
 public:
  /// Puts of one batch that may fail before the rest is left for the devices to send again: a store
  /// that takes nothing is not asked for every row.
  static constexpr size_t kMostFailures = 64;

  struct Begun {};
  struct Put {
    const Result<std::vector<PutOutcome>>* outcomes;
  };
  struct Answered {};
  using Event = std::variant<Begun, Put, Answered>;

  /// Good until the next Resume.
  struct Action {
    enum Kind {
      kPut,     // `rows` and `settlements` into the store, then Put
      kAnswer,  // `ack` to `frame`, then Answered
      kDone,    // every frame has had its answer
    };
    Kind kind = kDone;
    std::span<const Detection> rows = {};
    std::span<const Settlement> settlements = {};
    const Finished* frame = nullptr;
    const Ack* ack = nullptr;
    const Error* error = nullptr;  // why it is not stored; null: it is
  };

  Action Resume(const Event& event, Nanos now);

  /// What the next commit is about; after kDone of no use any more, but for its memory.
  std::vector<Finished>& frames() { return frames_; }
  /// Whether anything new was stored.
  bool stored() const { return stored_; }
  /// When the first Put began, and what all of them took, microseconds.
  Nanos store_began() const { return store_began_; }
  uint32_t store_us() const { return Micros(store_took_); }

 private:
  struct Range {
    size_t begin = 0, end = 0;
  };
  /// What became of a frame's row.
  struct Fate {
    bool duplicate = false;
    int error = -1;  // of errors_; −1: none
  };

  void Begin();
  void Take(const std::vector<PutOutcome>& outcomes);
  void Failed(const Error& error);
  Action NextPut(Nanos now);
  Action NextAnswer(Nanos now);
  std::optional<ResultPayload> ResultOf(size_t frame) const;
  std::span<const Detection> RowsOf(Range range) const;
  std::span<const Settlement> SettlementsOf(Range range) const;

  std::vector<Finished> frames_;
  std::vector<Detection> rows_;          // of all frames, in their order …
  std::vector<size_t> rows_before_;      // … and how many stand before each frame's, and the end
  std::vector<Settlement> settlements_;  // the same
  std::vector<size_t> settlements_before_;
  std::vector<Range> to_put_;  // the last one first
  Range putting_;
  std::vector<Fate> fates_;
  std::vector<Error> errors_;
  size_t failures_ = 0, next_ = 0;
  bool stored_ = false;
  Nanos put_at_{0}, store_began_{0}, store_took_{0};
  Ack ack_;
};

}  // namespace fogline
