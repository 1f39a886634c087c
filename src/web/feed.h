// The tail of the store as server-sent events, formatted once for all streams.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store.h"
#include "web/detection_text.h"

namespace fogline {

/// Events between two ids: what a stream that has seen `after` needs next.
struct FeedChunk {
  uint64_t after = 0;
  uint64_t last = 0;
  std::string text;
};

/// Where a stream starts.
struct FeedStart {
  uint64_t after = 0;
  bool reset = false;  // the id it asked for means nothing here: it should load everything anew
};

/// Event ids are "EPOCH-ID": the store's own sequence, so that nothing about a client is kept
/// between its connections, and a client of another store is noticed. Recent chunks stay in a ring
/// of bounded size; streams share them, and whoever is further behind is answered from the store.
/// Not thread-safe.
class Feed {
 public:
  Feed(Store& store, Privacy privacy) : store_(store), privacy_(privacy) {}

  /// Starts at the store's end.
  Status Start();
  /// Reads what is new, at most a few chunks; true when there may be more.
  Result<bool> Poll();

  FeedStart Resolve(std::string_view event_id) const;
  /// The events after an id, where all streams share them; null when there are none yet, or they
  /// must be read.
  std::shared_ptr<const FeedChunk> Shared(uint64_t after) const;
  /// The events after an id, read from the store where need be; null when there are none yet. Where
  /// rows between were forgotten, the first event says which are the oldest left.
  Result<std::shared_ptr<const FeedChunk>> Next(uint64_t after);
  /// The first event of every stream.
  std::string Hello(const FeedStart& start) const;

  /// An event that says which rows are the oldest left, and how often some were deleted.
  std::string Forgotten() const;

  uint64_t last_id() const { return last_; }
  uint64_t forgotten_id() const { return forgotten_; }
  uint64_t deletions() const { return deletions_; }

 private:
  std::deque<std::shared_ptr<const FeedChunk>>::const_iterator Past(uint64_t after) const;
  /// As many of the rows as fit a chunk, one at least.
  std::shared_ptr<FeedChunk> Format(uint64_t after, const std::vector<StoredDetection>& rows) const;

  /// What was deleted is in no chunk any more.
  Status DropDeleted();

  Store& store_;
  Privacy privacy_;
  uint64_t last_ = 0;
  uint64_t forgotten_ = 0, deletions_ = 0;             // of the store, when it was asked last
  std::deque<std::shared_ptr<const FeedChunk>> ring_;  // each begins where the one before ends
  size_t ring_bytes_ = 0;
};

}  // namespace fogline
