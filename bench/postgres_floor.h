// What PostgreSQL itself takes for the rows of a store, measured beside the store in the same run.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "servers/local_postgres.h"

namespace fogline {

/// As Debian installs it, beside what a LocalPostgres of a test has: it syncs its disk.
inline constexpr const char* kPostgresAsInstalled =
    "fsync = on\nshared_buffers = 128MB\nmax_wal_size = 1GB\nautovacuum_naptime = 60s";

inline double SecondsOf(Nanos t) { return std::chrono::duration<double>(t).count(); }

/// Processor time so far of a process, of its children that ended, and of those it has now.
inline double ProcessorOf(pid_t pid) {
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

/// Two floors under a store of `rows` rows, in tables with the same columns and indexes that ask
/// for no names, keep no counts and give no order: a COPY of all of them at once from a file, and
/// pgbench with one client, which inserts them in batches of so many, each with its commit.
class PostgresFloor {
 public:
  PostgresFloor(const LocalPostgres& postgres, uint64_t rows, size_t batch)
      : postgres_(postgres), rows_(rows), batch_(batch) {}

  Status Show() {
    for (const char* table : {"detection", "name"}) {
      FOGLINE_CHECK(
          Sql(fmt::format("COPY (SELECT * FROM fogline.{0} ORDER BY id) TO '{1}/{0}'"
                          " (FORMAT binary); CREATE TABLE source_{0} AS"
                          " SELECT * FROM fogline.{0}; CREATE UNIQUE INDEX ON source_{0}"
                          " (id)",
                          table, postgres_.data().string())));
    }
    FOGLINE_CHECK(Timed("COPY", rows_, [&] {
      return Sql(
          fmt::format("BEGIN; COPY floor_name FROM '{0}/name' (FORMAT binary);"
                      "COPY floor_detection FROM '{0}/detection' (FORMAT binary); COMMIT",
                      postgres_.data().string()));
    }));
    const uint64_t batches = rows_ / batch_;
    return Timed("pgbench", batches * batch_, [&] { return Pgbench(batches); });
  }

 private:
  Status Sql(const std::string& statements) {
    return postgres_.Sql(statements).map([](const std::string&) {});
  }
  template <typename Work>
  Status Timed(const char* name, uint64_t rows, Work work) {
    FOGLINE_CHECK(
        Sql("DROP TABLE IF EXISTS floor_name, floor_detection;"
            "CREATE TABLE floor_name (LIKE fogline.name INCLUDING ALL);"
            "CREATE TABLE floor_detection (LIKE fogline.detection INCLUDING ALL); CHECKPOINT"));
    const double before = ProcessorOf(postgres_.pid());
    const Nanos start = Clock::Real().Steady();
    FOGLINE_CHECK(work());
    const double seconds = SecondsOf(Clock::Real().Steady() - start);
    const auto count = static_cast<double>(rows);
    fmt::print("  floor: {:<8} {:>8} {:>12.0f} {:>14} {:>14.1f}\n", name,
               name == std::string_view("COPY") ? rows_ : batch_, count / seconds, "",
               (ProcessorOf(postgres_.pid()) - before) * 1e6 / count);
    return {};
  }
  Status Pgbench(uint64_t batches) {
    const TempDir dir;
    const auto script = dir.path() / "batch.sql";
    std::string text = "\\set n :n + 1\nBEGIN;\n";
    for (const char* table : {"name", "detection"}) {
      text += fmt::format(
          "INSERT INTO floor_{0} SELECT * FROM source_{0} WHERE id > (:n - 1) * {1} AND id <= :n *"
          " {1};\n",
          table, batch_);
    }
    FOGLINE_CHECK(WriteFile(script, text + "COMMIT;\n"));
    FOGLINE_TRY(Process bench,
                Process::Start(
                    {.command = {"pgbench", "-n", "-M", "prepared", "-c", "1", "-D", "n=0", "-t",
                                 std::to_string(batches), "-f", script.string(), postgres_.url()},
                     .capture_stdout = true,
                     .stderr_to = dir.path() / "log"}));
    FOGLINE_TRY(const std::string said, bench.ReadStdout());
    if (bench.Wait() == 0) return {};
    return Fail(ErrorCode::kInternal, "pgbench", "{}",
                ReadTextFile(dir.path() / "log").value_or(said));
  }

  const LocalPostgres& postgres_;
  const uint64_t rows_;
  const size_t batch_;
};

}  // namespace fogline
