// Where detections are kept. SQLite embeds in the cloud daemon; other stores sit behind the same
// interface and pass the same tests (store_conformance_test.cc).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/detection.h"
#include "store/filter.h"
#include "store/hexgrid.h"

namespace fogline {

/// What became of one detection of a batch.
struct PutOutcome {
  enum Kind { kStored, kDuplicate } kind = kStored;
  uint64_t id = 0;  // of the stored row, the older one for a duplicate; 0: forgotten since
};

/// A time that only the edge learns, and only after the frame was stored: the round trip less the
/// cloud's own time.
struct Settlement {
  std::string device;
  uint64_t run = 0;
  uint64_t sequence = 0;
  float network_ms = kUnknown;
};

/// A row as read back. Ids grow in the order of commits, without a gap that could be filled later:
/// whoever has seen everything up to an id misses nothing by asking for what comes after it.
struct StoredDetection {
  uint64_t id = 0;
  int64_t stored_us = 0;  // the store's own wall clock
  bool has_thumbnail = false;
  Detection detection;  // without the thumbnail's bytes: see Store::Thumbnail
};

/// One hexagon that holds something.
struct HexCount {
  HexCell cell;
  uint64_t count = 0;
  uint64_t positives = 0;
  float max_score = 0;
  int64_t newest_us = 0;  // captured; 0: of none is it known
};

/// One part of a time line.
struct TimeBin {
  uint64_t count = 0;
  uint64_t positives = 0;
};

/// A time line, how many of its rows have no time and so no place in it, and from when to when
/// those with a time were captured, inside the line or not (0 and 0: there are none).
struct TimeCounts {
  std::vector<TimeBin> bins;
  uint64_t untimed = 0;
  bool timed = false;
  int64_t first_us = 0, last_us = 0;

  /// Makes the span hold a time.
  void Reach(int64_t at_us) {
    first_us = timed ? std::min(first_us, at_us) : at_us;
    last_us = timed ? std::max(last_us, at_us) : at_us;
    timed = true;
  }
};

/// No more values of a field are listed: those seen most often.
inline constexpr int kMostTallies = 1000;

/// How often one value of a field occurs; over everything stored, whatever the filter.
struct ValueTally {
  std::string text;
  uint64_t count = 0;
  uint64_t positives = 0;
  uint64_t payload_bytes = 0;
  uint64_t stored_bytes = 0;  // about, see StoredBytes; kept for devices alone
  // Captured; 0 and 0 where no row says when. Once rows were forgotten or deleted, either may lie
  // beyond any row that is left.
  int64_t first_us = 0;
  int64_t last_us = 0;
};

/// In how many pictures boxes of one label were found, and how many boxes.
struct FoundTally {
  std::string label;
  uint64_t pictures = 0;
  uint64_t boxes = 0;
};

/// The values that a filter can name, kept up to date by Put: reading it costs no scan.
struct Inventory {
  uint64_t count = 0;
  uint64_t last_id = 0;
  uint64_t forgotten_id = 0;  // see Store::ForgottenId
  int64_t first_us = 0;       // captured, as in ValueTally
  int64_t last_us = 0;
  std::vector<ValueTally> devices, labels, mechanisms, models;
};

/// Every row has one mechanism, and there are few of them: their tallies add up to the whole.
void SumUp(Inventory& stock);

/// How much a store may hold, and how much of it may be one device's; 0: any amount.
struct Retention {
  std::chrono::microseconds age{0};  // since a row was stored, by the clocks of those who store
  uint64_t rows = 0;
  /// SQLite: the pages of its file that hold something. Redis: the data of the whole server, as it
  /// counts itself. PostgreSQL: the tables of the store, a partition that is half forgotten by
  /// half.
  uint64_t bytes = 0;
  uint64_t device_rows = 0;
  uint64_t device_bytes = 0;  // as ValueTally::stored_bytes counts them

  /// Whether the store as a whole has a limit.
  bool any() const { return age.count() > 0 || rows > 0 || bytes > 0; }
  bool any_of_a_device() const { return device_rows > 0 || device_bytes > 0; }
};

/// What devices hold, those first that hold most.
struct Holdings {
  std::vector<ValueTally> by_rows, by_bytes;  // text, count and stored_bytes
};

/// What a store holds in this process's memory, for its readers and its writer.
struct StoreHeld {
  uint64_t mirrored_rows = 0;
  uint64_t mirrored_bytes = 0;  // theirs, their boxes' and their labels', about
  uint64_t name_bytes = 0;      // what connections remember of devices' names and labels

  StoreHeld& operator+=(const StoreHeld& other) {
    mirrored_rows += other.mirrored_rows;
    mirrored_bytes += other.mirrored_bytes;
    name_bytes += other.name_bytes;
    return *this;
  }
};

/// What one step of forgetting did.
struct ForgetStep {
  uint64_t rows = 0;  // forgotten
  bool more = false;  // the store still holds more than it may
};

/// Ends a watch when it is destroyed; the callback does not run afterwards.
class StoreWatch {
 public:
  virtual ~StoreWatch() = default;
};

/// Thread-safe. Errors name the store (a path or an address) and leave it usable: kExhausted for a
/// full disk or memory, kUnavailable for a server that does not answer, kInvalid for a file that is
/// no store, kConflict for a server that came back with another store in it. A store with a server
/// says itself, once, that it is back after it was gone.
class Store {
 public:
  virtual ~Store() = default;

  /// Stores a batch: all of it or nothing, durable against power loss when it returns, idempotent
  /// by (device, run, sequence), forgotten rows included. One outcome a detection, in order. The
  /// whole batch shares one sync of the disk, so callers with many frames at hand pass them
  /// together; settlements ride along.
  virtual Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                              std::span<const Settlement> settlements) = 0;
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch) { return Put(batch, {}); }

  /// Rows that another store held: as Put, but each keeps the time at which it was stored there,
  /// one in `stored_us` for each.
  virtual Result<std::vector<PutOutcome>> Take(std::span<const Detection> batch,
                                               std::span<const int64_t> stored_us) = 0;

  /// Where somebody who works through rows by id goes on: kept under a name of up to 300 bytes, as
  /// durable as rows. 0: nothing is kept under it.
  virtual Result<uint64_t> Mark(const std::string& name) = 0;
  virtual Status SetMark(const std::string& name, uint64_t id) = 0;

  /// Takes or keeps what only one of those who share a store may do at a time, under a name as of a
  /// mark: true where `holder` has it from now on for so long, false while somebody else has it.
  /// 0: gives it back. By the clock of the server; of SQLite, by that of the machine.
  virtual Result<bool> Hold(const std::string& name, const std::string& holder,
                            std::chrono::milliseconds time) = 0;

  /// Rows that pass the filter, at most `limit`, by id: ascending from filter.after_id or
  /// descending from filter.before_id.
  virtual Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                                     size_t limit) = 0;

  /// Counts by hexagon of the grid at `level`, in no particular order; rows without a position are
  /// left out.
  virtual Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) = 0;

  /// How many rows were captured in each of `bins` equal parts of [from_us, to_us).
  virtual Result<TimeCounts> Timeline(const Filter& filter, int64_t from_us, int64_t to_us,
                                      size_t bins) = 0;

  /// What was found in the rows that pass, most pictures first, kMostTallies labels at most. Boxes
  /// less sure than filter.found.least_score do not count.
  virtual Result<std::vector<FoundTally>> Found(const Filter& filter) = 0;

  virtual Result<Inventory> Stock() = 0;

  /// The highest id ever given, of a forgotten row too; 0: nothing was ever stored.
  virtual Result<uint64_t> LastId() = 0;

  /// Up to which id Hexagons, Timeline and Found count at once, for a filter that asks for no more:
  /// LastId(), or less while a large store that was opened a short time ago is being read into
  /// memory. Each call reads on for a fifth of a second at most.
  virtual Result<uint64_t> CountedId() = 0;

  /// Rows are forgotten in the order in which they were stored: whatever has an id up to this one
  /// is gone for good, whatever has a higher one is there, unless it was deleted. 0: nothing was
  /// forgotten.
  virtual Result<uint64_t> ForgottenId() = 0;

  /// One small step towards what may be kept: forgets up to a few hundred of the oldest rows, all
  /// or none of them, and holds up a Put no longer than that takes. After a Put that found the
  /// store full it makes room for the next ones, if `keep` limits bytes, whatever else it says.
  /// Ids are never given again. The names of forgotten frames stay known, so that a repeat is
  /// still a duplicate (of id 0): for 30 days, and if `keep` limits bytes, at most as many as fit
  /// in a quarter of them. Several processes may do this on one store at once.
  virtual Result<ForgetStep> Forget(const Retention& keep) = 0;

  /// Deletes rows by their ids, ascending and at most a few hundred (kForgetRows) of them: all of
  /// those that are there or none. Their names stay known as those of forgotten rows. How many were
  /// there.
  virtual Result<uint64_t> Delete(std::span<const uint64_t> ids) = 0;

  /// How often rows were deleted: where this has grown, whoever holds copies of rows reads them
  /// anew.
  virtual Result<uint64_t> Deletions() = 0;

  /// The devices that hold most, at most `most` by either measure.
  virtual Result<Holdings> Heaviest(size_t most) = 0;

  /// The JPEG of a row; kNotFound when there is none.
  virtual Result<std::vector<std::byte>> Thumbnail(uint64_t id) = 0;

  /// Whether a Put would be kept now: makes durable something that nobody reads, by the way that a
  /// batch takes. Whether there is room for a large one it cannot know.
  virtual Status Probe() = 0;

  /// Calls back, from a thread of its own, soon after anybody stored something, other processes
  /// included. Null for a store that cannot tell: ask it for what is new from time to time.
  virtual std::unique_ptr<StoreWatch> Watch(std::function<void()> /*stored*/) { return nullptr; }

  /// What it holds in memory now. Waits for nobody.
  virtual StoreHeld Held() const { return {}; }

  /// Drawn when the store was created (16 hex digits): ids mean something only together with it.
  virtual const std::string& epoch() const = 0;
};

/// What a store that was opened to be read says to whoever writes, and what one says that is not
/// there.
tl::unexpected<Error> FailReadOnly(const std::string& where);
tl::unexpected<Error> FailNoStore(const std::string& where);

struct StoreOptions {
  /// SQLite: refuse to grow past this (kExhausted); 0: as far as the disk reaches. Redis has its
  /// own limit, maxmemory.
  uint64_t max_bytes = 0;
  /// Up to so many rows are mirrored in memory (60 bytes each, and 8 for each box of up to 8 a row
  /// on average) once somebody asks for hexagons or time lines; a larger store answers those from
  /// disk, slower.
  size_t mirrored_rows = 2'000'000;
  /// A folder in which the mirror is kept from one start to the next, so that a large store is not
  /// read again; made where it is missing. Empty: it is read again.
  std::string cache = {};
  /// Fewer rows are not kept there: they are read in less time than anybody notices.
  size_t least_cached = 65'536;
  /// A reader that asks for too much is stopped rather than let hold up everybody behind it.
  Nanos longest_read = std::chrono::seconds(5);
  /// Creates nothing, changes nothing, and needs no right to: kNotFound where there is no store,
  /// kUsage for whatever would write. A SQLite file must lie still, or be written by others that
  /// this process shares a folder with.
  bool read_only = false;
  const Clock* clock = &Clock::Real();
};

/// "sqlite:PATH" (created when missing, unless it is only to be read), "sqlite::memory:",
/// "redis://[user:password@]host:port/db" or "postgresql://user[:password]@host:port/database".
/// kUsage for any other scheme; no error repeats a password.
Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options = {});

}  // namespace fogline
