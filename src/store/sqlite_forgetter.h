// How rows leave a SQLite store: the oldest as it grows, and those that somebody names.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "store/retention.h"
#include "store/sqlite_ballast.h"
#include "store/sqlite_handle.h"
#include "store/sqlite_writer.h"
#include "store/store.h"

namespace fogline {

/// Works on the writing connection. Not thread-safe.
class SqliteForgetter {
 public:
  /// `database` has been through PrepareWriter.
  static Result<std::unique_ptr<SqliteForgetter>> Make(SqliteDatabase& database,
                                                       const StoreOptions& options);

  /// See Store::Forget.
  Result<ForgetStep> Forget(const Retention& keep);
  /// See Store::Delete.
  Result<uint64_t> Delete(std::span<const uint64_t> ids);
  /// A Put found no room.
  void Full() { pressure_.Full(); }

 private:
  /// A block of 64 neighbours: device, run, sequence / 64.
  using Block = std::tuple<int64_t, int64_t, int64_t>;

  SqliteForgetter(SqliteDatabase& database, const StoreOptions& options)
      : database_(database), options_(options), ballast_(database.path()) {}

  Result<bool> IsDue(const Retention& keep);
  /// The last id that this step forgets; 0 for none.
  Result<uint64_t> Bound(const Retention& keep);
  /// The same, or less where those rows' pictures are large.
  Result<uint64_t> WithinBytes(uint64_t up_to);
  Result<uint64_t> UsedBytes();
  /// The same for blocks of names, by the row number of their table.
  Result<int64_t> NamesBound(const Retention& keep);
  /// `which` rows of detection, as a condition on their id.
  Status ReadRows(const std::string& which);
  Status DeleteRows(const std::string& which);
  Status LowerTallies();
  Status RememberNames();
  Status LogDeletion();
  Status ForgetDue(const Retention& keep);
  Status DeleteNamed(std::span<const uint64_t> ids);
  /// All of `work` or nothing.
  template <typename Work>
  Status Transact(Work work);

  SqliteDatabase& database_;
  const StoreOptions options_;
  SqliteBallast ballast_;
  Pressure pressure_;
  bool squeezed_ = false;  // room was needed that the disk did not have
  SqliteStatement begin_, commit_, rollback_, times_, pictures_, place_, lower_, name_;
  // Of the step under way:
  std::map<std::pair<TallyKind, int64_t>, ValueTally> tallies_;
  std::map<Block, uint64_t> names_;  // a bit a sequence
  std::vector<int64_t> placed_;
  std::vector<uint64_t> read_;  // the ids, ascending
};

}  // namespace fogline
