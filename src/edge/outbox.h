// What a device still has to get stored, and what it does about it next: the sending side of the
// line as a state machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "edge/aside.h"
#include "edge/dead_letters.h"
#include "edge/delivery.h"
#include "edge/spool_record.h"
#include "edge/window.h"
#include "frame/ack.h"
#include "frame/frame.h"
#include "link/backoff.h"

namespace fogline {

struct OutboxOptions {
  std::string device;
  uint64_t run = 0;
  size_t window = 8;  // frames under way at most
  /// Before a frame is sent again, doubled with each repeat.
  Nanos patience = std::chrono::seconds(5), most_patience = std::chrono::minutes(1);
  Nanos deadline{0};  // what is not stored so long after its making is given up; 0: never
  /// Whether frames are kept on a disk until they are stored. Without one only those under way
  /// exist, and a refused one is lost.
  bool disk = false;
  bool waits_for_disk = true;  // when the disk is full; else new frames are dropped
  std::string dead_letters;    // where refused frames are put, for the log
};

struct OutboxCounts {
  uint64_t dropped = 0;    // new frames, for want of room on the disk
  uint64_t unspooled = 0;  // frames in memory alone, since the disk took no more
  uint64_t stale = 0;      // given up past the deadline
  uint64_t waiting = 0;    // on the disk, aside, since the cloud cannot take them yet
  uint64_t window = 0;     // under way now
};

/// Decides everything about the frames of one run: their names, the window, repeats and how patient
/// they are, what goes to the disk and comes back from it, what waits aside, which network times
/// are still to be told, what is given up. It does nothing itself: no link, disk, clock, lock or
/// thread is in here. Whoever drives it tells it what happens and carries out what it asks for:
///
///     for (Action action = outbox.Resume(event, now); not terminal; ) {
///       carry it out;
///       action = outbox.Resume(how it went, now);
///     }
///
/// One thing is asked for at a time, and between an action and its outcome nothing else may be
/// told, but for kPublish: while bytes are on their way to the socket other events may come, and
/// lead to actions of their own (never a second kPublish). Not thread-safe: the driver locks.
class Outbox {
 public:
  // What happens.
  /// A new frame. Its device, run, sequence, window time and what is settled of earlier frames are
  /// filled in. `backlog`: other frames wait on the disk.
  struct Offered {
    Frame* frame;
    Nanos started;  // when work on its picture began
    Nanos asked;    // when it was first offered
    bool json;
    bool backlog;
    uint64_t ticket = 0;  // told with its delivery
  };
  struct Answered {
    const Ack* ack;
  };
  struct Connected {};
  struct Disconnected {};
  struct NobodyListens {};  // to what was published
  struct TimePassed {};
  struct Closing {};  // nothing more is offered: what is settled is told by a frame of its own
  // How what was asked for went.
  struct Done {};  // for actions that cannot fail
  struct Published {
    const Error* error;  // null: it is on its way
  };
  struct Kept {
    SpoolPlace place;
    const Error* error;  // null: it is on the disk. kUnsupported: that will never take it
  };
  struct Taken {
    SpoolFrame* frame;   // its bytes are taken over; null: nothing came
    const Error* error;  // why kTakeBack gave nothing; kNotFound: it is gone
  };
  struct SetAside {
    bool held;  // whether the disk still has the frame
  };
  struct Buried {
    const Error* error;  // null: the disk keeps the letter
  };
  using Event = std::variant<Offered, Answered, Connected, Disconnected, NobodyListens, TimePassed,
                             Closing, Done, Published, Kept, Taken, SetAside, Buried>;

  struct Line {
    LogLevel level;
    std::string text;
  };

  /// What to do now. Everything in it is good until the next Resume, but for the bytes of kPublish,
  /// which are good until their outcome is told.
  struct Action {
    enum Kind {
      // Terminal: an event is over.
      kNothing,  // until something happens, for Rest at most
      kWait,     // the offered frame finds no room: offer it again when something has changed
      kRefuse,   // the offered frame cannot be written: `error`
      // To be answered by …
      kPublish,   // Published: `bytes`
      kKeep,      // Kept: `record` with `bytes`; `under_way`: it is not to be taken again
      kTake,      // Taken: what has waited longest on the disk
      kTakeBack,  // Taken: what was set aside at `place`
      kSetAside,  // SetAside: what is under way at `place`
      kForget,    // Done: what is at `place` is stored, or kept elsewhere
      kBury,      // Buried: `letter` with `bytes`
      kDeliver,   // Done: `delivery` is to be told
    };
    Kind kind = kNothing;
    std::span<const Line> says = {};  // for the log, before anything else
    std::span<const std::byte> bytes = {};
    SpoolPlace place = {};
    bool under_way = false;
    const SpoolFrame* record = nullptr;  // without its bytes
    const DeadLetter* letter = nullptr;
    const Delivery* delivery = nullptr;
    const ResultPayload* result = nullptr;  // for the delivery, where the cloud said it
    const Error* error = nullptr;

    bool terminal() const { return kind <= kRefuse; }
  };

  /// Frames that only tell times count from here: beyond any run's pictures, and exact in JSON.
  static constexpr uint64_t kFirstTelling = uint64_t{1} << 52;

  explicit Outbox(const OutboxOptions& options);

  /// Takes in what happened, or how the last action went, and says what to do next.
  Action Resume(const Event& event, Nanos now);

  /// For how long nothing needs to be done unless something happens: then TimePassed is due.
  Nanos Rest(Nanos now) const;
  /// Whether as many frames are under way as may be.
  bool full() const { return window_.full(); }
  /// Whether every frame is answered, but for those that wait on the disk for their turn.
  bool idle() const { return window_.empty() && aside_.empty(); }
  /// How long frames have been under way without a word from the cloud; 0 when none is.
  Nanos Silence(Nanos now) const { return window_.empty() ? Nanos(0) : now - heard_; }
  OutboxCounts counts() const;
  /// Frames under way of which `on_disk` says that no copy is there.
  template <typename OnDisk>
  size_t CountWithout(OnDisk on_disk) const {
    return window_.Count([&](const InFlight& f) { return !f.telling && !on_disk(f.place); });
  }

 private:
  /// A frame on its way out of the window: at most one, while nothing else happens.
  struct Leaving {
    Action::Kind next;  // what has to be done about it
    InFlight flight;
    std::optional<Delivery> delivery;  // to be told in the end
    DeadLetter letter;
    bool told_not_now;
    const ResultPayload* result;  // of the answer that it leaves with, or null
  };

  Action On(const Offered& offered, Nanos now);
  Action On(const Answered& answered, Nanos now);
  Action On(const Connected& connected, Nanos now);
  Action On(const Disconnected& disconnected, Nanos now);
  Action On(const NobodyListens& nobody, Nanos now);
  Action On(const TimePassed& passed, Nanos now);
  Action On(const Closing& closing, Nanos now);
  Action On(const Done& done, Nanos now);
  Action On(const Published& published, Nanos now);
  Action On(const Kept& kept, Nanos now);
  Action On(const Taken& taken, Nanos now);
  Action On(const SetAside& aside, Nanos now);
  Action On(const Buried& buried, Nanos now);

  Action Next(Nanos now);
  Action Leave();
  Action Read(Nanos now);
  Action Publish(Nanos now);
  void DropStale(Nanos now);
  void Tell(Nanos now);
  InFlight Name(Frame& frame, uint64_t sequence, Nanos started);
  void Enter(InFlight flight, Nanos now);
  void GiveUp(InFlight flight, const char* refused_by, const std::string& reason,
              std::optional<Delivery> delivery);
  void PutAside(InFlight flight, bool told_not_now);
  Leaving& LetGo(Action::Kind next, InFlight flight);
  Delivery Delivered(const InFlight& flight, AckStatus status, Nanos now) const;
  void Settle(Delivery& delivery, const InFlight& flight, const CloudStages& cloud);
  void TakeSettled(std::vector<Settled>& into);
  void Untell(const InFlight& flight);
  InFlight FromDisk(SpoolFrame& kept, Nanos now);
  std::vector<std::byte> Spare();
  void Recycle(InFlight& flight);
  void Say(LogLevel level, std::string text) { says_.push_back({level, std::move(text)}); }
  bool News(const std::string& what);
  /// Something has changed: what could not be read or sent may be tried once more.
  void TryAgain();

  const OutboxOptions options_;
  uint64_t next_sequence_ = 0;
  uint64_t next_telling_ = kFirstTelling;
  SendWindow window_;
  Aside aside_;
  OutboxCounts counts_;
  std::vector<Settled> settled_;  // not yet told
  Nanos heard_{0};                // when the cloud's last answer came
  Backoff unheard_;
  bool connected_ = false, json_ = false;
  bool blocked_ = false;  // the link took nothing: not before something changes
  bool dry_ = true;       // the disk gave nothing: not before something changes
  int reads_ = 0;         // since something happened

  InFlight offered_;             // on its way to the disk …
  bool offered_direct_ = false;  // … and to the window as well
  SpoolFrame record_;
  std::optional<Aside::Asked> asked_;  // is being read from the disk
  std::optional<Leaving> leaving_;
  std::optional<FrameName> in_air_;  // is being published
  std::vector<std::byte> landing_;   // the bytes that are, where their frame is gone already

  std::vector<std::vector<std::byte>> spare_;  // buffers of finished frames
  std::vector<Line> says_;
  std::set<std::string> said_;  // each trouble is said once
  bool said_full_ = false, said_nobody_ = false;
  Error error_;
};

}  // namespace fogline
