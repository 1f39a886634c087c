// A filter as a WHERE clause whose values are parameters: no text of a filter is ever SQL.
#pragma once

#include <string>

#include "store/filter.h"
#include "store/postgres_rows.h"

namespace fogline {

struct PostgresWhere {
  std::string sql;  // " WHERE …" over fogline.detection d, or empty
  PostgresParameters values;
  bool never = false;  // no row can pass
};

/// As Filter says, texts included.
PostgresWhere ToPostgres(const Filter& filter);

}  // namespace fogline
