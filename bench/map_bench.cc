// How soon a map answers that stands on a large PostgreSQL store: what the first page of a visitor
// asks for, over HTTP, of a `fogline map` that has just started, and again when it knows its store;
// then what somebody asks who looks closer or for less.
//
//   map_bench [--rows 5000000] [--mirror ROWS_IN_MEMORY]
//
// PostgreSQL makes the rows itself, in the store's own tables and partitions: 1,000 devices in 20
// towns, one row a second. Names, which no map reads, it leaves out. Some 350 bytes a row lie in a
// temporary folder, which goes with the program.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "servers/local_postgres.h"
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
  std::vector<Detection> rows;
  for (uint64_t i = first; i < first + count; ++i) {
    Detection d;
    d.device = fmt::format("cam-{:03}", i % kDevices);
    d.sequence = i;
    d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(i) * 1'000'000;
    d.label = i % 4 == 0 ? "litter" : "clean";
    d.mechanism = "split";
    d.cut = "split13";
    d.codec = "q4";
    d.model = std::string(64, 'a');
    rows.push_back(std::move(d));
  }
  return store.Put(rows).map([](auto&&) {});
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

/// `mirror`: how many rows the map may keep in memory, or nothing said.
Status Run(uint64_t rows, const std::string& mirror) {
  FOGLINE_TRY(const auto server, LocalPostgres::Start("shared_buffers = 128MB\n"
                                                      "max_wal_size = 256MB\n"
                                                      "autovacuum = off"));
  const Nanos start = Now();
  {
    FOGLINE_TRY(const auto store, OpenStore(server->url()));
    FOGLINE_CHECK(Fill(*server, *store, rows));
  }
  fmt::print("{} rows, made in {:.0f} s\n", rows, Milliseconds(Now() - start) / 1000);
  const TempDir dir;
  const int port = FreePort();
  std::vector<std::string> command{FOGLINE_BINARY, "map",    "--store",
                                   server->url(),  "--http", fmt::format("127.0.0.1:{}", port)};
  if (!mirror.empty()) command.insert(command.end(), {"--mirror", mirror});
  FOGLINE_TRY(Process map, Process::Start({.command = command,
                                           .capture_stdout = true,
                                           .stderr_to = dir.path() / "map.log"}));
  while (HttpGet(port, "/healthz").empty() && map.Running()) std::this_thread::sleep_for(10ms);
  // A town fills the view, as in a visitor's first; then a tenth of it each way.
  const std::string town = "box=7.95,46.95,8.25,47.15", block = "box=8.05,47.04,8.062,47.049";
  const std::string hexagons = "/api/hexagons?level=11&points=2000&" + town;
  const Nanos began = Now();
  while (!HttpGet(port, hexagons).starts_with("HTTP/1.1 200") && map.Running()) {
  }
  fmt::print("a map that has just started has read the store after {:.1f} s\n",
             Milliseconds(Now() - began) / 1000);
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
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kError);
  uint64_t rows = 5'000'000;
  std::string mirror;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--rows") rows = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--mirror") mirror = argv[i + 1];
  }
  const fogline::Status status = fogline::Run(rows, mirror);
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? EXIT_SUCCESS : EXIT_FAILURE;
}
