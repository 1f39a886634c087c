// The tables of a SQLite store and the settings of a connection.
#pragma once

#include "base/result.h"
#include "store/sqlite_handle.h"
#include "store/store.h"

namespace fogline {

/// Marks the file as ours ("FogL") and says which tables it holds.
inline constexpr int kSqliteApplicationId = 0x466f674c;
inline constexpr int kSqliteVersion = 4;
/// Names of forgotten frames are kept as bits, so many sequences of a run to a row.
inline constexpr uint64_t kSqliteNamesInBlock = 64;

/// Makes a connection durable (WAL with a sync at every commit) and bounded by options.max_bytes;
/// creates the tables in an empty file and brings those of an older Fogline up to date, which costs
/// no scan; an older Fogline does not read them then. kInvalid for a database that is not ours,
/// kUnsupported for one of a newer Fogline.
Status PrepareWriter(SqliteDatabase& database, const StoreOptions& options);

/// Makes a connection one that reads, and sees a store of any version up to this one as one of
/// this version. Errors as above; kNotFound for a file that holds no store.
Status PrepareReader(SqliteDatabase& database);

}  // namespace fogline
