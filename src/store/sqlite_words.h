// The store's dictionary: texts that repeat in every row, as small numbers.
#pragma once

#include <optional>
#include <string>

#include "store/sqlite_handle.h"
#include "store/word_memory.h"

namespace fogline {

/// Remembers what it has looked up, within bounds. One a connection, not thread-safe.
class SqliteWords {
 public:
  explicit SqliteWords(SqliteDatabase& database) : database_(database) {}

  /// The number of a text, given out now when it is new.
  Result<int64_t> NumberOf(const std::string& text);
  /// The text of a number that a row holds. Valid until the next call.
  Result<const std::string*> TextOf(int64_t number);
  /// After a rollback: numbers given out within the transaction are void.
  void Forget() { known_.Forget(); }
  /// That it remembers. May be asked by any thread.
  size_t bytes() const { return known_.bytes(); }

 private:
  void Remember(int64_t number, const std::string& text);

  SqliteDatabase& database_;
  std::optional<SqliteStatement> find_, add_;  // once something is looked up
  WordMemory known_;
};

}  // namespace fogline
