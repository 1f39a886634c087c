// The embedded store: one SQLite file beside the cloud daemon.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace fogline {

/// Opens or creates the store at `path`; ":memory:" keeps it in this process. Several processes may
/// share a file. Writers wait for each other, readers for nobody: rows are written through one
/// connection and read through another.
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::string& path,
                                               const StoreOptions& options = {});

}  // namespace fogline
