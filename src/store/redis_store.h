// The shared store: many workers and map servers on one Redis.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace fogline {

/// Connects to the store at "redis://[user:password@]host[:port][/db]", and lays it when there is
/// none. What Redis keeps, and which of its settings make a Put durable: docs/operations.md.
Result<std::unique_ptr<Store>> OpenRedisStore(const std::string& url,
                                              const StoreOptions& options = {});

}  // namespace fogline
