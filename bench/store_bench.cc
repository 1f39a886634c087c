// Detections a second into each store, durable when told so, and what they cost in processor time
// of the writer and of the server, which other work on the machine changes little: one writer with
// batches as the cloud commits them, and several writers at once, each with a connection of its
// own, as several workers on one store do. Redis is a real server with appendfsync always,
// PostgreSQL one that syncs its disk. The floor beside PostgreSQL is a COPY of the same rows from a
// file into tables with the same columns and indexes, at once: what a program could do at best that
// asked for no names, kept no counts and gave no order.
//
//   store_bench [sqlite|redis|postgres]
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
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

/// Processor time so far of a process, of its children that ended, and of those it has now.
double CpuOf(pid_t pid) {
  double seconds = 0;
  const auto add = [&](const std::string& process, bool ended_too) {
    const auto stat = ReadTextFile("/proc/" + process + "/stat");
    if (!stat) return;
    unsigned long user = 0, system = 0, dead_user = 0, dead_system = 0;
    if (std::sscanf(stat->c_str() + stat->rfind(')'),
                    ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &user, &system,
                    &dead_user, &dead_system) != 4) {
      return;
    }
    const auto ticks = user + system + (ended_too ? dead_user + dead_system : 0);
    seconds += static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  };
  if (pid <= 0) return 0;
  add(std::to_string(pid), true);
  const auto children = ReadTextFile(fmt::format("/proc/{0}/task/{0}/children", pid));
  std::istringstream list(children.value_or(""));
  for (std::string child; list >> child;) add(child, false);
  return seconds;
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
  const double own = OwnCpu(), theirs = CpuOf(server);
  FOGLINE_TRY(const double rate, Fill(url, load.writers, load.batch, load.total));
  const double each = 1e6 / static_cast<double>(load.total);
  fmt::print("{:<8} {:>8} {:>8} {:>12.0f} {:>14.1f} {:>14.1f}\n", name, load.writers, load.batch,
             rate, (OwnCpu() - own) * each, (CpuOf(server) - theirs) * each);
  return {};
}

/// The same rows into tables with the same indexes, at once.
Status Floor(const LocalPostgres& postgres, uint64_t total) {
  for (const char* table : {"detection", "name"}) {
    const std::string rows = (postgres.data() / table).string();
    FOGLINE_CHECK(postgres
                      .Sql(fmt::format("COPY (SELECT * FROM fogline.{}) TO '{}' (FORMAT binary)",
                                       table, rows))
                      .map([](auto&&) {}));
  }
  FOGLINE_CHECK(postgres
                    .Sql("CREATE TABLE floor_name (LIKE fogline.name INCLUDING ALL);"
                         "CREATE TABLE floor (LIKE fogline.detection INCLUDING ALL); CHECKPOINT")
                    .map([](auto&&) {}));
  const double before = CpuOf(postgres.pid());
  const Nanos start = Clock::Real().Steady();
  FOGLINE_CHECK(postgres
                    .Sql(fmt::format("BEGIN; COPY floor_name FROM '{0}/name' (FORMAT binary);"
                                     "COPY floor FROM '{0}/detection' (FORMAT binary); COMMIT",
                                     postgres.data().string()))
                    .map([](auto&&) {}));
  const double seconds = Seconds(Clock::Real().Steady() - start);
  fmt::print("{:<8} {:>8} {:>8} {:>12.0f} {:>14} {:>14.1f}\n", " floor", 1, total,
             static_cast<double>(total) / seconds, "",
             (CpuOf(postgres.pid()) - before) * 1e6 / static_cast<double>(total));
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
  FOGLINE_TRY(const auto postgres, LocalPostgres::Start("fsync = on"));
  FOGLINE_CHECK(Measure("postgres", postgres->url(), postgres->pid(), load));
  FOGLINE_CHECK(Floor(*postgres, load.total));
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
