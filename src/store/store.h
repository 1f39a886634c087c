// Where detections are kept. SQLite embeds in the cloud daemon; other stores sit behind the same
// interface and pass the same tests (store_conformance_test.cc).
#pragma once

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
  uint64_t id = 0;  // of the stored row, the older one for a duplicate
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
  int64_t newest_us = 0;  // captured
};

/// One part of a time line.
struct TimeBin {
  uint64_t count = 0;
  uint64_t positives = 0;
};

/// How often one value of a field occurs; over everything stored, whatever the filter.
struct ValueTally {
  std::string text;
  uint64_t count = 0;
  uint64_t positives = 0;
  uint64_t payload_bytes = 0;
  int64_t first_us = 0;  // captured
  int64_t last_us = 0;
};

/// The values that a filter can name, kept up to date by Put: reading it costs no scan.
struct Inventory {
  uint64_t count = 0;
  uint64_t last_id = 0;
  int64_t first_us = 0;  // captured; 0 and 0 for an empty store
  int64_t last_us = 0;
  std::vector<ValueTally> devices, labels, mechanisms, models;
};

/// Ends a watch when it is destroyed; the callback does not run afterwards.
class StoreWatch {
 public:
  virtual ~StoreWatch() = default;
};

/// Thread-safe. Errors name the store (a path or an address) and leave it usable: kExhausted for a
/// full disk or memory, kUnavailable for a server that does not answer, kInvalid for a file that is
/// no store, kConflict for a server that came back with another store in it. A Redis store says
/// itself, once, that its server is gone, and once that it is back.
class Store {
 public:
  virtual ~Store() = default;

  /// Stores a batch: all of it or nothing, durable against power loss when it returns, idempotent
  /// by (device, run, sequence). One outcome a detection, in order. The whole batch shares one sync
  /// of the disk, so callers with many frames at hand pass them together; settlements ride along.
  virtual Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                              std::span<const Settlement> settlements) = 0;
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch) { return Put(batch, {}); }

  /// Rows that pass the filter, at most `limit`, by id: ascending from filter.after_id or
  /// descending from filter.before_id.
  virtual Result<std::vector<StoredDetection>> Query(const Filter& filter, Order order,
                                                     size_t limit) = 0;

  /// Counts by hexagon of the grid at `level`, in no particular order; rows without a position are
  /// left out.
  virtual Result<std::vector<HexCount>> Hexagons(const Filter& filter, int level) = 0;

  /// How many rows were captured in each of `bins` equal parts of [from_us, to_us).
  virtual Result<std::vector<TimeBin>> Timeline(const Filter& filter, int64_t from_us,
                                                int64_t to_us, size_t bins) = 0;

  virtual Result<Inventory> Stock() = 0;

  /// The highest id so far; 0 for an empty store.
  virtual Result<uint64_t> LastId() = 0;

  /// The JPEG of a row; kNotFound when there is none.
  virtual Result<std::vector<std::byte>> Thumbnail(uint64_t id) = 0;

  /// Calls back, from a thread of its own, soon after anybody stored something, other processes
  /// included. Null for a store that cannot tell: ask it for what is new from time to time.
  virtual std::unique_ptr<StoreWatch> Watch(std::function<void()> /*stored*/) { return nullptr; }

  /// Drawn when the store was created (16 hex digits): ids mean something only together with it.
  virtual const std::string& epoch() const = 0;
};

struct StoreOptions {
  /// SQLite: refuse to grow past this (kExhausted); 0: as far as the disk reaches. Redis has its
  /// own limit, maxmemory.
  uint64_t max_bytes = 0;
  /// Up to so many rows are mirrored in memory (50 bytes each) once somebody asks for hexagons or
  /// time lines; a larger store answers those from disk, slower.
  size_t mirrored_rows = 2'000'000;
  const Clock* clock = &Clock::Real();
};

/// "sqlite:PATH" (created when missing), "sqlite::memory:" or
/// "redis://[user:password@]host:port/db". kUsage for any other scheme; no error repeats a
/// password.
Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options = {});

}  // namespace fogline
