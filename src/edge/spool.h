// Frames on disk from their making until the cloud has stored them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "edge/spool_disk.h"
#include "edge/spool_folder.h"
#include "edge/spool_record.h"

namespace fogline {

/// What becomes of a new frame when the spool is full.
enum class WhenFull {
  kWait,    // it waits for room, and the camera with it
  kOldest,  // the oldest waiting frames make room for it
  kNewest,  // it is dropped itself
};

struct SpoolOptions {
  static constexpr uint64_t kLeastBytes = 1 << 20;

  std::filesystem::path folder;  // empty: no spool
  uint64_t limit_bytes = uint64_t{1} << 30;
  WhenFull when_full = WhenFull::kWait;
  /// How old a frame that is still not stored becomes before the disk is made to keep it. What the
  /// cloud has stored by then, the usual case on a good link, never costs a sync.
  Nanos sync_after = std::chrono::milliseconds(200);
  /// How long a file that cannot be read now rests before it is tried again, doubled each time.
  Nanos rest = std::chrono::seconds(1);
  SpoolDisk* disk = &SpoolDisk::Real();
};

struct SpoolCounts {
  uint64_t waiting = 0;        // frames that nobody has taken yet
  uint64_t under_way = 0;      // taken, and not done
  uint64_t aside = 0;          // taken, and set aside
  uint64_t recovered = 0;      // found when the spool was opened
  uint64_t dropped = 0;        // older frames given up for newer ones
  uint64_t damaged_bytes = 0;  // what a power loss or a bad disk left unreadable
  uint64_t bytes = 0;          // on disk now
  uint64_t syncs = 0;
};

/// An append-only log in files of a folder. Frames are taken in the order in which they came, those
/// of earlier runs first, and leave when they are done; a file leaves when all its frames are. A
/// frame survives the death of its process as soon as Append returns, and the loss of power
/// `sync_after` and one sync of the disk later. A mark that is lost costs a repeat of its frame,
/// never a frame. What cannot be read now (no descriptor left, a disk that fails) stays and is
/// tried again: only what was read and is damaged is passed over. Thread-safe; never waits for the
/// disk's sync.
class Spool {
 public:
  /// Takes in what an earlier run left. kConflict when another process has the folder open, or when
  /// it holds the frames of another device.
  static Result<std::unique_ptr<Spool>> Open(const SpoolOptions& options,
                                             const std::string& device);
  /// Syncs what is not done.
  ~Spool();

  /// Writes a frame behind all others and tells its place. `under_way`: it counts as taken at once
  /// (only when nothing waits). kExhausted, and nothing is changed, when there is no room now;
  /// kUnsupported for a frame that is too large for the spool's limit at any time.
  Status Append(const SpoolFrame& frame, std::span<const std::byte> bytes, bool under_way,
                SpoolPlace& place);
  /// The frame that has waited longest, with its place; false when none that can be read now waits.
  /// `out` keeps its memory.
  bool Take(SpoolFrame& out);
  /// A frame under way stays on disk and is not taken again in this run but by TakeBack. False when
  /// it is not there any more.
  bool SetAside(SpoolPlace place);
  /// A frame that was set aside is under way again. kNotFound when it is gone (the oldest made room
  /// for newer ones), kUnavailable when it cannot be read now.
  Status TakeBack(SpoolPlace place, SpoolFrame& out);
  /// The frame is stored, or kept elsewhere: it may go.
  void Done(SpoolPlace place);
  /// Whether the disk still keeps a frame that is not done.
  bool Holds(SpoolPlace place) const;

  SpoolCounts counts() const;

 private:
  struct Segment {
    uint32_t size = 0;
    uint32_t next = 0;  // everything before it was taken
    uint64_t waiting = 0, under_way = 0, aside = 0;
    bool unread = false;                  // of an earlier run: what waits in it is not known yet
    std::vector<uint32_t> done;           // of an earlier run: frames not to be taken, ascending
    std::shared_ptr<SpoolFile> unsynced;  // where the disk has not been made to keep the end
    Nanos rest{0}, rests_until{0};        // since it could not be read
    bool idle() const { return waiting + under_way + aside == 0 && !unread; }
  };
  using Segments = std::map<uint64_t, Segment>;

  Spool(const SpoolOptions& options);
  Status Recover();
  bool Scan(Segments::iterator segment, ScannedSegment& scanned);
  void Count(Segments::iterator segment, const std::vector<uint32_t>& frames);
  bool ReadLate(Segments::iterator segment);
  bool TakeFrom(Segments::iterator segment, SpoolFrame& out);
  static void Fill(const SpoolItem& item, uint64_t segment, SpoolFrame& out);
  void Rest(Segments::iterator segment, const std::string& why);
  void Seal();
  Status Roll();
  bool DropOldest();
  void Retire(Segments::iterator segment);
  Status Write(std::span<const std::byte> data);
  void FlushMarks();
  void SyncLoop(const std::stop_token& stop);
  void Sync(std::unique_lock<std::mutex>& lock);

  const SpoolOptions options_;
  uint32_t segment_bytes_;    // under mutex_
  mutable std::mutex mutex_;  // guards all below
  std::unique_ptr<SpoolFolder> folder_;
  std::condition_variable_any stops_;
  Segments segments_;
  uint64_t active_ = 0;  // the segment that grows, 0 for none
  std::shared_ptr<SpoolFile> active_file_;
  uint64_t next_ = 1;
  uint64_t unread_ = 0;  // segments
  std::vector<std::byte> marks_, write_;
  SpoolCounts counts_;
  /// Frames that the disk has not been made to keep, by age; what is done leaves.
  struct Young {
    SpoolPlace place;
    Nanos since;
  };
  std::deque<Young> young_;
  bool new_file_ = false;   // the folder has to be synced
  bool said_sync_ = false;  // a failing sync is said once
  Nanos dropped_said_{0};
  std::jthread syncer_;
};

}  // namespace fogline
