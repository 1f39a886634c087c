// A Filter as SQL over the table `detection`.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "store/filter.h"
#include "store/sqlite_handle.h"

namespace fogline {

/// A WHERE clause and its numbers. `never`: a text of the filter is not in the store, so that no
/// row can pass.
struct SqliteWhere {
  std::string sql;  // "WHERE …", or empty
  std::vector<std::variant<int64_t, double>> values;
  bool never = false;

  void BindTo(SqliteStatement& statement) const;
};

/// Translates a filter; `positioned` leaves out rows without a position. Reads the words' numbers
/// and, for a box, asks the R*Tree how selective it is: small boxes go through the tree, large ones
/// are compared row by row in the order of ids.
Result<SqliteWhere> TranslateFilter(SqliteDatabase& database, const Filter& filter,
                                    bool positioned);

}  // namespace fogline
