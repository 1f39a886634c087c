// How soon a map answers that stands on a large store: hexagons of a `fogline map` that has just
// started, until they are of the whole, and of the next one, which has what that one kept; then
// what the first page of a visitor asks for, over HTTP, and what somebody asks who looks closer or
// for less.
//
//   map_bench [--rows 5000000] [--store postgres|postgis|sqlite|redis] [--mirror ROWS_IN_MEMORY]
//
// PostgreSQL makes the rows itself, in the store's own tables and partitions: 1,000 devices in 20
// towns, one row a second. Names, which no map reads, it leaves out. The other stores are given the
// same rows one batch after the other. Some 350 bytes a row lie in a temporary folder, which goes
// with the program; Redis has them in memory. With postgis the database has the extension, whose
// geometry and index are held against the store's own at the end.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "servers/serve.h"
#include "store/store.h"
#include "tests/line/http.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kDevices = 1000;

double Milliseconds(Nanos t) { return std::chrono::duration<double, std::milli>(t).count(); }
Nanos Now() { return Clock::Real().Steady(); }

/// So many rows through the store itself, with every word that there is.
Status PutRows(Store& store, uint64_t first, uint64_t count) {
  std::mt19937_64 random(first);
  std::uniform_real_distribution<double> near(0, 1);
  std::vector<Detection> rows;
  for (uint64_t i = first; i < first + count; ++i) {
    Detection d;
    d.device = fmt::format("cam-{:03}", i % kDevices);
    d.sequence = i;
    d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(i) * 1'000'000;
    d.has_position = true;
    d.lat = 46 + static_cast<double>(i % 20) * 0.2 + (near(random) + near(random)) * 0.045;
    d.lon = 6 + static_cast<double>(i % 20) * 0.4 + (near(random) + near(random)) * 0.06;
    d.label = i % 4 == 0 ? "litter" : "clean";
    d.positive = i % 4 == 0;
    d.score = static_cast<float>(near(random));
    d.mechanism = "split";
    d.cut = "split13";
    d.codec = "q4";
    d.model = std::string(64, 'a');
    rows.push_back(std::move(d));
  }
  return store.Put(rows).map([](auto&&) {});
}

Status Fill(Store& store, uint64_t rows) {
  constexpr uint64_t kBatch = 8192;
  for (uint64_t first = 0; first < rows; first += kBatch) {
    FOGLINE_CHECK(PutRows(store, first, std::min(kBatch, rows - first)));
  }
  return {};
}

/// The first rows and the last through the store, which makes every partition for them; those
/// between by PostgreSQL.
Status Fill(const LocalPostgres& server, Store& store, uint64_t rows) {
  FOGLINE_CHECK(PutRows(store, 0, kDevices));
  FOGLINE_CHECK(
      server.Sql(fmt::format("UPDATE fogline.about SET last_id = {}", rows - 1)).map([](auto&&) {
      }));
  FOGLINE_CHECK(PutRows(store, rows - 1, 1));
  return server
      .Sql(fmt::format(
          "WITH w AS (SELECT array_agg(id ORDER BY text) FILTER (WHERE text LIKE 'cam-%') AS cams,"
          " max(id) FILTER (WHERE text = 'litter') AS litter,"
          " max(id) FILTER (WHERE text = 'clean') AS clean,"
          " max(id) FILTER (WHERE text = 'split') AS split,"
          " max(id) FILTER (WHERE text = 'split13') AS cut,"
          " max(id) FILTER (WHERE text = 'q4') AS codec,"
          " max(id) FILTER (WHERE length(text) = 64) AS model FROM fogline.word)"
          "INSERT INTO fogline.detection SELECT n, cams[1 + n % 1000], 7, n,"
          " 1700000000000000 + n::bigint * 1000000, 1700000000000000 + n::bigint * 1000000,"
          " 46 + (n % 20) * 0.2 + (random() + random() + random()) * 0.03,"
          " 6 + (n % 20) * 0.4 + (random() + random() + random()) * 0.04, 5, NULL, model,"
          " CASE WHEN n % 4 = 0 THEN litter ELSE clean END, random(), n % 4 = 0, split, cut, codec,"
          " 1389, false, 5, NULL, NULL, 1, 2, 12.5, 1, NULL, 20, 1, 2, 5, NULL"
          " FROM w, generate_series({}, {}) AS n",
          kDevices + 1, rows - 1))
      .and_then(
          [&](const std::string&) { return server.Sql("VACUUM (ANALYZE) fogline.detection"); })
      .map([](const std::string&) {});
}

/// One question, so many times: how long the first and the median took, and how much came.
Status Ask(int port, const char* what, const std::string& target, int times = 5) {
  std::vector<double> took;
  std::string answer;
  for (int i = 0; i < times; ++i) {
    const Nanos start = Now();
    answer = HttpGet(port, target);
    took.push_back(Milliseconds(Now() - start));
  }
  const double first = took.front();
  std::nth_element(took.begin(), took.begin() + times / 2, took.end());
  const bool fine = answer.starts_with("HTTP/1.1 200");
  fmt::print("{:<44} {:>10.0f} {:>10.0f} {:>9}  {}\n", what, first,
             took[static_cast<size_t>(times) / 2], answer.size(),
             fine ? "" : answer.substr(answer.find("\r\n\r\n") + 4, 120));
  return {};
}

/// A store with so many rows, and what has to stay for it.
struct Filled {
  std::unique_ptr<LocalPostgres> postgres;
  std::unique_ptr<LocalRedis> redis;
  std::string url;
};

Result<Filled> MakeStore(const std::string& kind, uint64_t rows, const TempDir& dir) {
  Filled filled;
  filled.url = fmt::format("sqlite:{}", (dir.path() / "map.db").string());
  if (kind.starts_with("post")) {
    FOGLINE_TRY(filled.postgres, LocalPostgres::Start("shared_buffers = 128MB\n"
                                                      "max_wal_size = 256MB\n"
                                                      "autovacuum = off"));
    filled.url = filled.postgres->url();
    if (kind == "postgis") {
      FOGLINE_CHECK(filled.postgres->Sql("CREATE EXTENSION postgis").map([](auto&&) {}));
    }
  } else if (kind == "redis") {
    FOGLINE_TRY(filled.redis, LocalRedis::Start());
    filled.url = filled.redis->url();
  }
  FOGLINE_TRY(const auto store, OpenStore(filled.url));
  FOGLINE_CHECK(filled.postgres ? Fill(*filled.postgres, *store, rows) : Fill(*store, rows));
  return filled;
}

/// Asks for hexagons from the start until all rows are counted; prints when the first answer came,
/// how much of the store it was, and when the whole was there.
void Watch(int port, const std::string& hexagons, Nanos started, Process& map) {
  for (bool first = true; map.Running();) {
    const std::string answer = HttpGet(port, hexagons);
    if (!answer.starts_with("HTTP/1.1 200")) {
      std::this_thread::sleep_for(2ms);
      continue;
    }
    const double after = Milliseconds(Now() - started);
    const auto said = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")));
    const auto counted = said["counted_id"].get<double>(), last = said["last_id"].get<double>();
    if (first) {
      fmt::print("first hexagons {:.0f} ms after the process began: {:.1f} % of the rows, {}\n",
                 after, 100 * counted / last, said["total"].get<uint64_t>());
    }
    first = false;
    if (counted < last) continue;
    fmt::print("hexagons of the whole after {:.1f} s, {}\n", after / 1000,
               said["total"].get<uint64_t>());
    return;
  }
}

uint64_t FolderBytes(const std::filesystem::path& folder) {
  uint64_t bytes = 0;
  for (const auto& file : EntriesOf(folder).value_or(std::vector<std::filesystem::path>{}))
    bytes += BytesOf(file);
  return bytes;
}

/// What PostgreSQL takes to count the pictures of a box, the best of five, ms.
Result<double> CountTook(const LocalPostgres& server, const std::string& where) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    FOGLINE_TRY(const std::string said,
                server.Sql("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT count(*) FROM"
                           " fogline.detection d WHERE lat IS NOT NULL AND " +
                           where));
    best = std::min(best, nlohmann::json::parse(said)[0]["Execution Time"].get<double>());
  }
  return best;
}

/// The index over PostGIS' geometry beside the one that needs no extension.
Status CompareIndexes(const LocalPostgres& server) {
  for (const auto& [what, box] : {std::pair{"some streets", "8.05,47.04,8.062,47.049"},
                                  {"a town", "7.95,46.95,8.25,47.15"}}) {
    FOGLINE_TRY(const double geometry,
                CountTook(server, fmt::format("ST_SetSRID(ST_MakePoint(lon, lat), 4326) &&"
                                              " ST_MakeEnvelope({}, 4326)",
                                              box)));
    const std::string edges = box;
    const size_t middle = edges.find(',', edges.find(',') + 1);
    FOGLINE_TRY(const double own,
                CountTook(server, fmt::format("point(lon, lat) <@ box(point({}), point({}))",
                                              edges.substr(0, middle), edges.substr(middle + 1))));
    fmt::print("count of {}: PostGIS' geometry {:.0f} ms, the store's own index {:.0f} ms\n", what,
               geometry, own);
  }
  for (const auto& [what, index] :
       {std::pair{"PostGIS' geometry", "%st_makepoint%"}, {"the store's own", "%gist (point(%"}}) {
    FOGLINE_TRY(const std::string bytes,
                server.Sql(fmt::format("SELECT pg_size_pretty(sum(pg_relation_size(i.indexrelid)))"
                                       " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                                       " WHERE c.relname LIKE 'detection_%' AND c.relkind = 'r'"
                                       " AND pg_get_indexdef(i.indexrelid) ILIKE '{}'",
                                       index)));
    fmt::print("the index of {}: {}", what, bytes);
  }
  return {};
}

/// `mirror`: how many rows the map may keep in memory, or nothing said.
Result<Process> StartMap(const std::string& url, int port, const std::string& mirror,
                         const TempDir& dir) {
  std::vector<std::string> command{FOGLINE_BINARY, "map",
                                   "--store",      url,
                                   "--http",       fmt::format("127.0.0.1:{}", port),
                                   "--cache",      (dir.path() / "cache").string()};
  if (!mirror.empty()) command.insert(command.end(), {"--mirror", mirror});
  return Process::Start(
      {.command = command, .capture_stdout = true, .stderr_to = dir.path() / "map.log"});
}

Status Run(const std::string& kind, uint64_t rows, const std::string& mirror) {
  const TempDir dir;
  const Nanos start = Now();
  FOGLINE_TRY(const Filled store, MakeStore(kind, rows, dir));
  fmt::print("{} rows in {}, made in {:.0f} s\n", rows, kind, Milliseconds(Now() - start) / 1000);
  const int port = FreePort();
  const std::string whole = "/api/hexagons?level=7&box=4,44,18,52";
  Nanos began = Now();
  FOGLINE_TRY(Process map, StartMap(store.url, port, mirror, dir));
  Watch(port, whole, began, map);
  map.Stop();
  fmt::print("once more, with what the first one kept ({:.0f} MB):\n",
             static_cast<double>(FolderBytes(dir.path() / "cache")) / 1e6);
  began = Now();
  FOGLINE_TRY(map, StartMap(store.url, port, mirror, dir));
  Watch(port, whole, began, map);
  // A town fills the view, as in a visitor's first; then a tenth of it each way.
  const std::string town = "box=7.95,46.95,8.25,47.15", block = "box=8.05,47.04,8.062,47.049";
  const std::string hexagons = "/api/hexagons?level=11&points=2000&" + town;
  fmt::print("{:<44} {:>10} {:>10} {:>9}\n", "", "first, ms", "median", "bytes");
  FOGLINE_CHECK(Ask(port, "newest 200", "/api/detections?limit=200"));
  FOGLINE_CHECK(Ask(port, "hexagons of a town", hexagons));
  FOGLINE_CHECK(Ask(port, "inventory", "/api/inventory"));
  FOGLINE_CHECK(Ask(port, "time line", "/api/timeline?bins=120"));
  FOGLINE_CHECK(Ask(port, "what was found", "/api/found"));
  FOGLINE_CHECK(Ask(port, "hexagons of all", "/api/hexagons?level=7&points=2000&box=4,44,18,52"));
  FOGLINE_CHECK(
      Ask(port, "hexagons of all, positive", "/api/hexagons?level=7&positive=1&box=4,44,18,52"));
  FOGLINE_CHECK(
      Ask(port, "points of some streets", "/api/hexagons?level=17&points=10000&" + block));
  FOGLINE_CHECK(Ask(port, "newest 500 of some streets", "/api/detections?limit=500&" + block));
  FOGLINE_CHECK(Ask(port, "newest 500 of a town", "/api/detections?limit=500&" + town));
  FOGLINE_CHECK(Ask(port, "oldest 500 of a town, clean",
                    "/api/detections?order=oldest&label=clean&limit=500&" + town));
  FOGLINE_CHECK(Ask(port, "newest 500 of a device", "/api/detections?limit=500&device=cam-010"));
  FOGLINE_CHECK(
      Ask(port, "newest 500 where nothing is", "/api/detections?limit=500&box=100,1,101,2"));
  map.Stop();
  fmt::print("the map's memory: {:.0f} MB at most\n",
             static_cast<double>(map.max_resident_bytes()) / 1e6);
  return kind == "postgis" ? CompareIndexes(*store.postgres) : Status();
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kError);
  uint64_t rows = 5'000'000;
  std::string mirror, kind = "postgres";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--rows") rows = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--store") kind = argv[i + 1];
    if (flag == "--mirror") mirror = argv[i + 1];
  }
  const fogline::Status status = fogline::Run(kind, rows, mirror);
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? EXIT_SUCCESS : EXIT_FAILURE;
}
