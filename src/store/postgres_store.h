// Detections in a PostgreSQL database, for those who outgrow one machine or live in SQL.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace fogline {

/// `url` as ParsePostgres takes it. The store is the schema "fogline" of that database.
Result<std::unique_ptr<Store>> OpenPostgresStore(const std::string& url,
                                                 const StoreOptions& options);

}  // namespace fogline
