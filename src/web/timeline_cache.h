// Time lines that are carried on instead of counted anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "store/store.h"

namespace fogline {

/// Every open map asks for its time line again and again while anything arrives. What was counted
/// for one is kept, and new rows are added to it, so that a question costs what is new, however
/// many ask; all rows of the store are counted at most once in two seconds for each of the lines
/// asked for. Rows forgotten since may be in a line for up to 30 s, deleted ones for 2. Not
/// thread-safe.
class TimelineCache {
 public:
  explicit TimelineCache(Store& store, const Clock& clock = Clock::Real())
      : store_(store), clock_(clock) {}

  struct Line {
    int64_t from_us = 0, to_us = 0;
    TimeCounts counts;
  };
  /// `bins` parts of the time from filter.from_us to filter.to_us; where the filter leaves an end
  /// open, of the time from the first to the last capture in the store. Those without a time are
  /// counted beside it. Valid until the next call.
  Result<const Line*> Count(const Filter& filter, size_t bins);

  /// How many rows pass a filter in all but that nobody knows when they were captured.
  Result<uint64_t> Untimed(const Filter& filter);

  /// That are kept.
  size_t lines() const { return entries_.size(); }
  /// How often rows were counted from the first on.
  uint64_t whole_counts() const { return whole_counts_; }

 private:
  struct Entry {
    Line line;
    uint64_t counted_id = 0, forgotten_id = 0, deletions = 0;
    Nanos counted_at{0};  // as a whole
    bool counted = false;
    uint64_t used = 0;
  };
  /// The store's ends when a question is answered; the newest row is the newest that can be
  /// counted.
  struct Ends {
    uint64_t last_id = 0, forgotten_id = 0, deletions = 0;
  };
  Result<Ends> ReadEnds();
  Result<Entry*> Carry(const Filter& filter, size_t bins, const Ends& ends, int64_t from_us,
                       int64_t to_us, bool grows);
  Status CountWhole(Entry& entry, const Filter& filter, size_t bins, const Ends& ends);
  Status CountNew(Entry& entry, const Filter& filter, size_t bins, const Ends& ends);
  Entry& Find(const Filter& filter, size_t bins);

  Store& store_;
  const Clock& clock_;
  std::map<std::string, Entry> entries_;
  uint64_t asked_ = 0;
  uint64_t whole_counts_ = 0;
};

}  // namespace fogline
