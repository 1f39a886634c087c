// Counts that PostgreSQL itself makes, of a store with more rows than a mirror takes: the same
// arithmetic as HexGrid and Columns, step by step, so that the answers are the same.
#pragma once

#include <vector>

#include "store/postgres_connection.h"
#include "store/store.h"

namespace fogline {

/// See Store::Hexagons; `grid` is of the level asked for.
Result<std::vector<HexCount>> CountHexagons(PostgresConnection& postgres, const Filter& filter,
                                            const HexGrid& grid);
/// See Store::Timeline.
Result<TimeCounts> CountTimeline(PostgresConnection& postgres, const Filter& filter,
                                 int64_t from_us, int64_t to_us, size_t bins);
/// See Store::Found.
Result<std::vector<FoundTally>> CountFound(PostgresConnection& postgres, const Filter& filter);

}  // namespace fogline
