// The tables of a PostgreSQL store and the settings of a connection.
#pragma once

#include <string>

#include "base/result.h"
#include "store/postgres_connection.h"
#include "store/store.h"

namespace fogline {

inline constexpr int kPostgresVersion = 4;
/// What Put tells those who wait for rows.
inline constexpr const char* kPostgresChannel = "fogline_stored";
/// Names of forgotten frames are kept as bits, so many sequences of a run to a row.
inline constexpr uint64_t kPostgresNamesInBlock = 64;

/// Creates the schema "fogline" in an empty database, brings an older one up to date, and adds what
/// stands on PostGIS where that is there and was not. A store that is as it should be is only read,
/// so that a role with SELECT alone may open it; `read_only`: so is any other, kNotFound where
/// there is none. Gives the epoch. kUnsupported for a store of a newer Fogline, kInvalid for a
/// database that is not in UTF-8 or a schema that is not ours.
Result<std::string> PreparePostgres(PostgresConnection& postgres, bool read_only);

/// Limits of a connection that writes: nobody waits long for a lock of somebody who hangs.
Status PreparePostgresWriter(PostgresConnection& postgres);

/// The list of partitions that must be there for ids up to `last_id`: creates what is missing.
/// `end` is the first id without a partition. Within a transaction that holds the counter.
Status ExtendPartitions(PostgresConnection& postgres, uint64_t end, uint64_t rows,
                        uint64_t last_id);

}  // namespace fogline
