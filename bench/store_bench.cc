// Detections a second into each store, durable when told so, and what they cost in processor time
// of the writer and of the server, which other work on the machine changes little: one writer with
// batches as the cloud commits them, and several writers at once, each with a connection of its
// own, as several workers on one store do. Redis is a real server with appendfsync always,
// PostgreSQL one as Debian installs it. The floors beside PostgreSQL are of the same rows in the
// same server (PostgresFloor): what a program could do at best that asked for no names, kept no
// counts and gave no order.
//
//   store_bench [sqlite|redis|postgres]
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "bench/postgres_floor.h"
#include "servers/local_postgres.h"
#include "servers/local_redis.h"
#include "store/store.h"

namespace fogline {
namespace {

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
  const double seconds = SecondsOf(Clock::Real().Steady() - start);
  for (Status& end : ends) FOGLINE_CHECK(end);
  return static_cast<double>(total) / seconds;
}

double OwnCpu() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Load {
  int writers;
  size_t batch;
  uint64_t total;
};

/// `server`: its first process, or 0 for none.
Status Measure(const char* name, const std::string& url, pid_t server, const Load& load) {
  const double own = OwnCpu(), theirs = ProcessorOf(server);
  FOGLINE_TRY(const double rate, Fill(url, load.writers, load.batch, load.total));
  const double each = 1e6 / static_cast<double>(load.total);
  fmt::print("{:<8} {:>8} {:>8} {:>12.0f} {:>14.1f} {:>14.1f}\n", name, load.writers, load.batch,
             rate, (OwnCpu() - own) * each, (ProcessorOf(server) - theirs) * each);
  return {};
}

Status MeasureRedis(const Load& load) {
  FOGLINE_TRY(const auto redis, LocalRedis::Start());
  FOGLINE_CHECK(Measure("redis", redis->url(), redis->pid(), load));
  FOGLINE_TRY(const uint64_t bytes, redis->UsedBytes());
  fmt::print("  {:.0f} bytes of memory a frame\n",
             static_cast<double>(bytes) / static_cast<double>(load.total));
  return {};
}

Status MeasurePostgres(const Load& load) {
  FOGLINE_TRY(const auto postgres, LocalPostgres::Start(kPostgresAsInstalled));
  FOGLINE_CHECK(Measure("postgres", postgres->url(), postgres->pid(), load));
  FOGLINE_CHECK(PostgresFloor(*postgres, load.total, load.batch).Show());
  FOGLINE_TRY(const std::string disk,
              postgres->Sql("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE"
                            " c.relnamespace = 'fogline'::regnamespace AND c.relkind = 'r'"));
  fmt::print("  {:.0f} bytes on the disk a frame\n",
             std::atof(disk.c_str()) / static_cast<double>(load.total));
  return {};
}

/// All stores, or the one that is named.
Status Run(std::string_view only) {
  const auto wanted = [only](std::string_view store) { return only.empty() || only == store; };
  fmt::print("{:<8} {:>8} {:>8} {:>12} {:>14} {:>14}\n", "store", "writers", "batch", "frames/s",
             "writer, us", "server, us");
  for (const Load& load : {Load{1, 1, 2000}, Load{1, 32, 20'000}, Load{1, 256, 60'000},
                           Load{1, 1024, 122'880}, Load{4, 1, 4000}, Load{4, 256, 60'416}}) {
    const TempDir dir;
    const std::string file = "sqlite:" + (dir.path() / "bench.db").string();
    if (wanted("sqlite")) FOGLINE_CHECK(Measure("sqlite", file, 0, load));
    if (wanted("redis")) FOGLINE_CHECK(MeasureRedis(load));
    if (wanted("postgres")) FOGLINE_CHECK(MeasurePostgres(load));
  }
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kError);
  const fogline::Status status = fogline::Run(argc > 1 ? argv[1] : "");
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? EXIT_SUCCESS : EXIT_FAILURE;
}
