// The writing half of a SQLite store.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "store/sqlite_handle.h"
#include "store/sqlite_words.h"
#include "store/store.h"

namespace fogline {

/// What a tally counts; values are in files, never reused.
enum class TallyKind : int { kDevice = 0, kLabel = 1, kMechanism = 2, kModel = 3 };

/// Inserts batches. Not thread-safe.
class SqliteWriter {
 public:
  /// `database` has been through PrepareWriter.
  static Result<std::unique_ptr<SqliteWriter>> Make(SqliteDatabase& database,
                                                    const StoreOptions& options);

  /// `stored_us`: when each was stored; empty: now.
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements,
                                      std::span<const int64_t> stored_us);
  /// See Store::SetMark.
  Status SetMark(const std::string& name, uint64_t id);
  /// See Store::Hold.
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time);
  /// See Store::Probe.
  Status Probe();
  /// Of what it remembers of names. May be asked by any thread.
  size_t name_bytes() const { return words_.bytes(); }

 private:
  SqliteWriter(SqliteDatabase& database, const StoreOptions& options)
      : database_(database), words_(database), options_(options) {}
  Status PutAll(std::span<const Detection> batch, std::span<const Settlement> settlements,
                std::span<const int64_t> stored_us, std::vector<PutOutcome>& outcomes);
  /// The id of the row of that name; 0: there is none.
  Result<uint64_t> Find(int64_t device, uint64_t run, uint64_t sequence);
  /// Whether a frame of that name was stored and its row is gone.
  Result<bool> IsForgotten(int64_t device, uint64_t run, uint64_t sequence);
  void Count(const Detection& detection, TallyKind kind, int64_t word);
  Result<PutOutcome> PutOne(const Detection& detection, int64_t stored_us);
  void BindFurther(const Detection& detection);
  Status Settle(const Settlement& settlement);
  Status WriteTallies();

  SqliteDatabase& database_;
  SqliteWords words_;
  StoreOptions options_;
  SqliteStatement begin_, commit_, rollback_, insert_, find_, place_, thumbnail_, tally_, stages_,
      settle_, any_forgotten_, forgotten_, mark_, hold_;
  bool some_forgotten_ = false;  // whether names must be looked up among those as well
  std::map<std::pair<TallyKind, int64_t>, ValueTally> tallies_;  // of the batch under way
  std::vector<std::byte> findings_;                              // of the row under way, which
  std::string counts_;                                           // the statement views
};

}  // namespace fogline
