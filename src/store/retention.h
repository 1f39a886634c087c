// Which rows a store may no longer keep: what both stores ask alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace fogline {

/// Rows that one step forgets at most: some milliseconds' work.
inline constexpr size_t kForgetRows = 256;
/// Of so many of the last steps of deletion it is kept which rows went, so that mirrors need not
/// read everything again.
inline constexpr uint64_t kDeletionsKept = 512;
/// How long the name of a frame outlives its row: a device that was cut off before it heard that
/// the frame is stored may come back within that time, and its repeat is no new frame.
inline constexpr std::chrono::microseconds kNamesOutlive = std::chrono::hours(24 * 30);
/// Names are kept in blocks of neighbouring frames of one run; so many blocks when bytes are
/// limited, or any number.
uint64_t MostNameBlocks(const Retention& keep);

struct StoredAt {
  uint64_t id = 0;
  int64_t stored_us = 0;
};
/// The oldest rows from an id on, at most so many.
using ReadStoredAt = std::function<Result<std::vector<StoredAt>>(uint64_t from_id, size_t most)>;

/// The id up to which rows were stored more than `age` ago, within the kForgetRows oldest; 0 for
/// none. Rows lie in the order in which they were stored, whatever the clocks said that stamped
/// them: the first row that is young enough protects all behind it, so that a clock that was
/// behind takes no row with it; and a row from the future is as old as the next one that is not,
/// so that a clock that was ahead holds up nothing.
Result<uint64_t> LastTooOld(const ReadStoredAt& read, std::chrono::microseconds age,
                            int64_t now_us);

/// The pressure of what was found full: asks for a twentieth less than there is, until that is
/// reached.
class Pressure {
 public:
  void Full() { full_ = true; }
  /// Whether there must be less than `used` bytes.
  bool Wants(uint64_t used, const Retention& keep);

 private:
  bool full_ = false;
  uint64_t target_ = 0;  // 0: not set yet
};

}  // namespace fogline
