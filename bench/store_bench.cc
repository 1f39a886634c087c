// Detections a second into each store, durable when told so: one writer with batches as the cloud
// commits them, and several writers at once, each with a connection of its own, as several workers
// on one store do. Redis is a real server with appendfsync always, PostgreSQL one that syncs its
// disk.
#include <fmt/format.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "store/store.h"

namespace fogline {
namespace {

double Seconds(Nanos t) { return std::chrono::duration<double>(t).count(); }

Detection Sample(int writer, uint64_t sequence) {
  Detection d;
  d.device = fmt::format("cam-{}-{}", writer, sequence % 50);
  d.run = 7;
  d.sequence = sequence / 50;
  d.captured_us = 1'700'000'000'000'000 + static_cast<int64_t>(sequence) * 1000;
  d.has_position = true;
  d.lat = 47 + static_cast<double>(sequence % 997) / 1000;
  d.lon = 8 + static_cast<double>(sequence % 1013) / 1000;
  d.model = std::string(64, 'a');
  d.label = sequence % 3 == 0 ? "litter" : "clean";
  d.score = 0.875F;
  d.mechanism = "split";
  d.cut = "split13";
  d.codec = "q4";
  d.payload_bytes = 1389;
  d.stages.prefix = 12.5F;
  return d;
}

/// Frames a second until `total` are stored.
Result<double> Fill(const std::string& url, int writers, size_t batch, uint64_t total) {
  std::vector<std::unique_ptr<Store>> stores;
  for (int w = 0; w < writers; ++w) {
    FOGLINE_TRY(stores.emplace_back(), OpenStore(url));
  }
  std::vector<Status> ends(static_cast<size_t>(writers));
  std::vector<std::thread> threads;
  const Nanos start = Clock::Real().Steady();
  for (int w = 0; w < writers; ++w) {
    threads.emplace_back([&, w] {
      const auto at = static_cast<size_t>(w);
      std::vector<Detection> rows;
      for (uint64_t i = 0; i < total / static_cast<uint64_t>(writers) && ends[at]; i += batch) {
        rows.clear();
        for (size_t k = 0; k < batch; ++k) rows.push_back(Sample(w, i + k));
        if (auto put = stores[at]->Put(rows); !put) ends[at] = Forward(std::move(put));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = Seconds(Clock::Real().Steady() - start);
  for (Status& end : ends) FOGLINE_CHECK(end);
  return static_cast<double>(total) / seconds;
}

Status Run() {
  fmt::print("{:<8} {:>8} {:>8} {:>12}\n", "store", "writers", "batch", "frames/s");
  for (const auto& [writers, batch, total] : {std::tuple{1, size_t{1}, uint64_t{2000}},
                                              {1, 32, 20'000},
                                              {1, 256, 60'000},
                                              {4, 1, 4000},
                                              {4, 256, 60'000}}) {
    const TempDir dir;
    FOGLINE_TRY(const double sqlite,
                Fill("sqlite:" + (dir.path() / "bench.db").string(), writers, batch, total));
    fmt::print("{:<8} {:>8} {:>8} {:>12.0f}\n", "sqlite", writers, batch, sqlite);
    FOGLINE_TRY(const auto server, LocalRedis::Start());
    FOGLINE_TRY(const double redis, Fill(server->url(), writers, batch, total));
    fmt::print("{:<8} {:>8} {:>8} {:>12.0f}\n", "redis", writers, batch, redis);
    FOGLINE_TRY(const auto postgres, LocalPostgres::Start("fsync = on"));
    FOGLINE_TRY(const double rows, Fill(postgres->url(), writers, batch, total));
    fmt::print("{:<8} {:>8} {:>8} {:>12.0f}\n", "postgres", writers, batch, rows);
    if (total < 60'000) continue;
    const Nanos start = Clock::Real().Steady();
    FOGLINE_TRY(const std::string copied,
                postgres->Sql("CREATE TABLE floor AS SELECT * FROM fogline.detection"));
    fmt::print("  {:.0f} rows/s within PostgreSQL, at once and without any index\n",
               static_cast<double>(total) / Seconds(Clock::Real().Steady() - start));
    FOGLINE_TRY(const uint64_t bytes, server->UsedBytes());
    fmt::print("  {:.0f} bytes of Redis' memory a frame\n",
               static_cast<double>(bytes) / static_cast<double>(total));
  }
  return {};
}

}  // namespace
}  // namespace fogline

int main() {
  fogline::SetLogLevel(fogline::LogLevel::kError);
  const fogline::Status status = fogline::Run();
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? EXIT_SUCCESS : EXIT_FAILURE;
}
