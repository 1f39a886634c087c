// How rows leave a PostgreSQL store: the oldest as it grows, and those that somebody names.
#pragma once

#include <atomic>
#include <span>

#include "store/postgres_connection.h"
#include "store/retention.h"
#include "store/store.h"

namespace fogline {

/// Deletes the oldest rows step by step, and drops each partition once it is empty: only that gives
/// its room on the disk back. Has a connection of its own. Not thread-safe, but for Full.
class PostgresForgetter {
 public:
  PostgresForgetter(PostgresConnection& postgres, const StoreOptions& options)
      : postgres_(postgres), options_(options) {}

  /// See Store::Forget.
  Result<ForgetStep> Forget(const Retention& keep);
  /// See Store::Delete.
  Result<uint64_t> Delete(std::span<const uint64_t> ids);
  /// A Put found no room.
  void Full() { full_ = true; }

 private:
  /// The last id that this step forgets; 0 for none.
  Result<uint64_t> Bound(const Retention& keep);
  /// The same for blocks of names, by the row number of their table.
  Result<int64_t> NamesBound(const Retention& keep);
  Result<uint64_t> UsedBytes();
  Result<std::vector<StoredAt>> Oldest(uint64_t from_id, size_t most);
  Status DeleteNamed(std::span<const uint64_t> ids, uint64_t& rows);
  Status ForgetUpTo(uint64_t up_to_id, int64_t up_to_names);
  /// `which`: a condition on the id of a row, of which `value` is $1.
  Status LetGo(const char* which, const PostgresParameters& value);
  Status DropEmptyPartitions();

  PostgresConnection& postgres_;
  const StoreOptions options_;
  Pressure pressure_;
  std::atomic<bool> full_{false};
};

}  // namespace fogline
