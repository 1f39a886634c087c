// The writing half of a PostgreSQL store.
#pragma once

#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "store/postgres_connection.h"
#include "store/postgres_words.h"
#include "store/store.h"

namespace fogline {

/// What a tally of PostgreSQL counts; values are in databases, never reused.
inline constexpr int kPostgresTallies = 4;  // device, label, mechanism, model

/// Inserts batches. Not thread-safe.
class PostgresWriter {
 public:
  PostgresWriter(PostgresConnection& postgres, const StoreOptions& options)
      : postgres_(postgres), words_(postgres), options_(options) {}

  /// `stored_us`: when each was stored; empty: now.
  Result<std::vector<PutOutcome>> Put(std::span<const Detection> batch,
                                      std::span<const Settlement> settlements,
                                      std::span<const int64_t> stored_us);
  /// See Store::SetMark.
  Status SetMark(const std::string& name, uint64_t id);
  /// See Store::Hold.
  Result<bool> Hold(const std::string& name, const std::string& holder,
                    std::chrono::milliseconds time);
  /// Of what it remembers of names. May be asked by any thread.
  size_t name_bytes() const { return words_.bytes(); }

 private:
  /// What the words of a detection are numbered.
  struct Numbers {
    int64_t device = 0, label = 0, mechanism = 0, model = 0, cut = 0, codec = 0;
  };
  using Name = std::tuple<int64_t, uint64_t, uint64_t>;

  Status PutAll(std::span<const Detection> batch, std::vector<PutOutcome>& outcomes);
  /// The ids of the frames that are known, 0 for those whose rows are gone.
  Result<std::map<Name, uint64_t>> Known(std::span<const Detection> batch,
                                         std::span<const Numbers> numbers);
  Status Insert(std::span<const Detection> batch, std::span<const Numbers> numbers,
                std::span<const PutOutcome> outcomes);
  Status Count(std::span<const Detection> batch, std::span<const Numbers> numbers,
               std::span<const PutOutcome> outcomes);
  Status Settle(std::span<const Settlement> settlements);
  /// Ends the connections of workers of which nothing more comes within a COPY: no time limit of
  /// the server's ends these, and with them the others would wait for ever.
  void EndUnheard();

  PostgresConnection& postgres_;
  PostgresWords words_;
  const StoreOptions options_;
  bool waited_ = false;             // in vain for the others to be done
  std::vector<int64_t> stored_us_;  // of each of the batch under way
};

}  // namespace fogline
