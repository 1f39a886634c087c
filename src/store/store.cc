#include "store/store.h"

#include "store/postgres_store.h"
#include "store/redis_store.h"
#include "store/sqlite_store.h"

namespace fogline {

void SumUp(Inventory& stock) {
  stock.count = 0;
  bool timed = false;
  for (const ValueTally& tally : stock.mechanisms) {
    stock.count += tally.count;
    if (tally.last_us == 0 && tally.first_us == 0) continue;  // no row says when
    stock.first_us = timed ? std::min(stock.first_us, tally.first_us) : tally.first_us;
    stock.last_us = timed ? std::max(stock.last_us, tally.last_us) : tally.last_us;
    timed = true;
  }
}

tl::unexpected<Error> FailReadOnly(const std::string& where) {
  return Fail(ErrorCode::kUsage, where, "was opened to be read, not to be written");
}

tl::unexpected<Error> FailNoStore(const std::string& where) {
  return Fail(ErrorCode::kNotFound, where,
              "holds no store; a worker (fogline cloud --store) creates it");
}

Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) {
    return OpenSqliteStore(url.substr(kSqlite.size()), options);
  }
  if (url.starts_with("redis:")) return OpenRedisStore(url, options);
  if (url.starts_with("postgresql:") || url.starts_with("postgres:")) {
    return OpenPostgresStore(url, options);
  }
  return Fail(ErrorCode::kUsage, url.substr(0, url.find(':')),
              "is no store; write sqlite:PATH, sqlite::memory:, redis://host:port/db or "
              "postgresql://user@host/database");
}

}  // namespace fogline
