#include "store/store.h"

#include "store/redis_store.h"
#include "store/sqlite_store.h"

namespace fogline {

Result<std::unique_ptr<Store>> OpenStore(const std::string& url, const StoreOptions& options) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) {
    return OpenSqliteStore(url.substr(kSqlite.size()), options);
  }
  if (url.starts_with("redis:")) return OpenRedisStore(url, options);
  return Fail(ErrorCode::kUsage, url.substr(0, url.find(':')),
              "is no store; write sqlite:PATH, sqlite::memory: or redis://host:port/db");
}

}  // namespace fogline
