// Frames that the cloud cannot take yet, out of the way of those that it can.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/clock.h"
#include "edge/spool_record.h"

namespace fogline {

/// What frames need in the cloud; those that need the same share their fate.
struct FrameNeeds {
  uint64_t model = 0, cut = 0, bundle = 0;
  auto operator<=>(const FrameNeeds&) const = default;
};

/// Frames on disk that were answered "not now", or that need what others were just told is not
/// there: they leave the send window, so that a model that is missing does not keep frames of
/// another from passing. One of them is sent to ask for all, with growing patience; once it is
/// taken, all go. A frame that is told "not now" while others with the same needs are taken is
/// alone with its trouble and is asked about by itself. A plain state machine: no thread, no I/O,
/// no clock.
class Aside {
 public:
  /// One frame to be sent now.
  struct Asked {
    FrameNeeds needs;
    SpoolPlace place;
    int times = 0;  // it was told "not now"
    Nanos due{0};   // by itself
  };

  /// Before a frame asks again: `patience`, doubled each time, `most` at most.
  Aside(Nanos patience, Nanos most) : patience_(patience), most_(most) {}

  bool empty() const { return count_ == 0; }
  /// Frames here. One that was handed out by Next is not.
  size_t count() const { return count_; }
  /// Whether frames with these needs are not to be sent for now.
  bool Waits(const FrameNeeds& needs) const;

  /// A frame that was not sent, since Waits says so.
  void Add(const FrameNeeds& needs, SpoolPlace place);
  /// A frame was told "not now", for the `times`th time. True when that is news: until now nothing
  /// was known against its needs.
  bool NotNow(const FrameNeeds& needs, SpoolPlace place, int times, Nanos now);
  /// The cloud took a frame with these needs, or knew it well enough to refuse it. True when that
  /// is news.
  bool Taken(const FrameNeeds& needs);
  /// A frame that may be sent now, removed from here.
  std::optional<Asked> Next(Nanos now);
  /// What Next gave is gone without an answer: another may ask.
  void Gone(const FrameNeeds& needs, SpoolPlace place, Nanos now);
  /// What Next gave could not be read from disk now.
  void PutBack(Asked asked, Nanos now);
  /// When Next has something; nothing when no frame is here.
  std::optional<Nanos> Deadline() const;
  /// Another cloud may be there: each asks as soon as it can.
  void AskSoon(Nanos now);

 private:
  struct Group {
    bool waits = false;
    int refusals = 0;                 // of the frames that asked for all, in a row
    Nanos ask_at{0};                  // when the next one may
    std::optional<SpoolPlace> asker;  // under way
    std::deque<SpoolPlace> fresh;     // never told anything
    std::deque<Asked> told;
    bool empty() const { return fresh.empty() && told.empty(); }
  };
  Nanos Patience(int times) const;
  std::optional<Asked> NextOf(const FrameNeeds& needs, Group& group, Nanos now);

  const Nanos patience_, most_;
  std::map<FrameNeeds, Group> groups_;
  size_t count_ = 0;
};

}  // namespace fogline
