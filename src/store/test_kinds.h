// Every kind of store, Redis and PostgreSQL as real servers, for tests of what all of them promise.
// A new store joins by adding itself to StoreKinds().
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/file.h"
#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "store/store.h"

namespace fogline {

struct StoreKind {
  std::string name;
  std::function<std::string(const TempDir&)> url;  // of an empty store
  StoreOptions options = {};
  bool cached = false;  // the mirror is kept from one opening to the next, however few rows
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

/// Of a server that the next call replaces by an empty one.
inline std::string FreshRedis(const TempDir&) {
  static std::unique_ptr<LocalRedis> server;
  auto started = LocalRedis::Start();
  if (!started) return started.error().ToString();
  server = *std::move(started);
  return server->url();
}

/// The same: the server stays, and what was in it goes.
inline std::string FreshPostgres(const TempDir&) {
  static std::unique_ptr<LocalPostgres> server;
  if (server == nullptr) {
    auto started = LocalPostgres::Start();
    if (!started) return started.error().ToString();
    server = *std::move(started);
  }
  EXPECT_TRUE(server->Sql("DROP SCHEMA IF EXISTS fogline CASCADE"));
  return server->url();
}

inline std::vector<StoreKind> StoreKinds() {
  return {
      {"postgres_unmirrored", FreshPostgres, {.mirrored_rows = 0}},
      {"postgres", FreshPostgres, {}, true},
      {"redis_unmirrored", FreshRedis, {.mirrored_rows = 0}},
      {"redis", FreshRedis, {}, true},
      {"sqlite_unmirrored",
       [](const TempDir& dir) { return "sqlite:" + (dir.path() / "u.db").string(); },
       {.mirrored_rows = 0}},
      {"sqlite_file",
       [](const TempDir& dir) { return "sqlite:" + (dir.path() / "s.db").string(); },
       {},
       true},
      {"sqlite_memory", [](const TempDir&) { return std::string("sqlite::memory:"); }},
  };
}

}  // namespace fogline
