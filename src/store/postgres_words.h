// The dictionary of a PostgreSQL store: texts that repeat in every row, as small numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/postgres_connection.h"
#include "store/word_memory.h"

namespace fogline {

/// Remembers what it has looked up, within bounds. Not thread-safe.
class PostgresWords {
 public:
  explicit PostgresWords(PostgresConnection& postgres) : postgres_(postgres) {}

  /// The number of a text, given out now when it is new: of the transaction under way.
  Result<int64_t> NumberOf(const std::string& text);
  /// The number of a text that is known; 0 for any other.
  Result<int64_t> Find(const std::string& text);
  /// Looks up what is not known yet of these, all at once.
  Status Learn(const std::vector<int64_t>& numbers);
  /// The text of a number that was learnt.
  Result<std::string> TextOf(int64_t number);
  /// After a rollback: numbers given out within the transaction are void.
  void Forget() { known_.Forget(); }
  /// That it remembers. May be asked by any thread.
  size_t bytes() const { return known_.bytes(); }

 private:
  PostgresConnection& postgres_;
  WordMemory known_;
};

}  // namespace fogline
