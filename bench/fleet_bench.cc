// A fleet on one machine: thousands of connected devices that each send one
// result a second through a real broker to real clouds and wait for "stored". As an
// edge does, each repeats what is not answered and has no more than a window of
// frames under way, while the others wait for their turn. Says what was lost
// (nothing, it is hoped), how long storing took, and what everybody needed.
//
//   fleet_bench [--devices N] [--connections N] [--rate PER_SECOND]
//               [--seconds N] [--clouds N] [--store URL|postgres]
//
// "--store postgres" is one of its own as Debian installs it, with its floors beside it.
// With fewer connections than devices, a connection speaks for many devices:
// 100,000 of them through a few workers (bench/fleet.h).
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/text.h"
#include "bench/fleet.h"
#include "bench/postgres_floor.h"
#include "servers/local_broker.h"
#include "servers/local_postgres.h"
#include "store/store.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// About what a cloud commits at once when it is pressed.
constexpr size_t kFloorBatch = 256;

struct Options : FleetOptions {
  int clouds = 1;
  std::string store;
};

Nanos Now() { return Clock::Real().Steady(); }

/// What a process has needed so far, with its children where those are part of it. A wake-up is a
/// thread that had nothing to do until then (the kernel's "voluntary" switches).
struct Usage {
  double cpu_s = 0, wakeups = 0;
};

double WakeupsOf(const std::string& process) {
  double wakeups = 0;
  const auto tasks = EntriesOf("/proc/" + process + "/task").value_or(std::vector<fs::path>());
  for (const fs::path& task : tasks) {
    std::ifstream status(task / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("voluntary")) wakeups += std::atof(line.c_str() + line.find(':') + 1);
    }
  }
  return wakeups;
}

Usage UsageOf(pid_t pid) {
  Usage usage{ProcessorOf(pid), WakeupsOf(std::to_string(pid))};
  if (pid == getpid()) {  // whose children are the broker and the clouds
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    usage.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
    return usage;
  }
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (std::string child; children >> child;) usage.wakeups += WakeupsOf(child);
  return usage;
}

double PeakBytesOf(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) * 1024;
  }
  return 0;
}

/// Somebody who takes part, and what they had needed when the first frame left.
struct Part {
  std::string who;
  pid_t pid;
  Usage before;
};

/// Stops the clouds, which say at their end how often they committed.
Result<double> CommitsOf(std::vector<Process>& clouds) {
  double commits = 0;
  for (Process& cloud : clouds) {
    cloud.Stop();
    FOGLINE_TRY(const std::string said, cloud.ReadStdout());
    const size_t at = said.find(" in ");
    if (at == std::string::npos) {
      return Fail(ErrorCode::kInternal, "cloud", "does not say how often it committed");
    }
    commits += std::atof(said.c_str() + at + 4);
  }
  return commits;
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--devices") options.devices = std::atoi(value);
    if (flag == "--connections") options.connections = std::atoi(value);
    if (flag == "--clouds") options.clouds = std::atoi(value);
    if (flag == "--rate") options.rate = std::atof(value);
    if (flag == "--seconds") options.seconds = std::atof(value);
    if (flag == "--store") options.store = value;
  }
  if (options.connections <= 0) options.connections = options.devices;
  return options;
}

Status Measure(Options options) {
  FOGLINE_CHECK(AllowFiles(options.connections));
  const TempDir dir;
  if (options.store.empty()) options.store = "sqlite:" + (dir.path() / "fleet.db").string();
  const auto models = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
  FOGLINE_TRY(const Network network, LoadNetwork(models / "litter.onnx", 0));
  FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, MechanismOptions{}));
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  std::unique_ptr<LocalPostgres> postgres;
  if (options.store == "postgres") {
    FOGLINE_TRY(postgres, LocalPostgres::Start(kPostgresAsInstalled));
    options.store = postgres->url();
  }
  FOGLINE_TRY(const auto store, OpenStore(options.store));  // made here, once
  std::vector<Process> clouds;
  for (int i = 0; i < options.clouds; ++i) {
    FOGLINE_TRY(
        Process cloud,
        Process::Start({.command = {FOGLINE_BINARY, "cloud", "--broker", broker->url(), "--models",
                                    models.string(), "--store", options.store, "--workers", "1"},
                        .capture_stdout = true,
                        .stderr_to = dir.path() / fmt::format("cloud-{}.log", i)}));
    clouds.push_back(std::move(cloud));
  }
  Fleet fleet(options, broker->port(), *mechanism);
  FOGLINE_CHECK(fleet.Connect());
  FOGLINE_CHECK(fleet.Warm());
  FOGLINE_TRY(const Inventory before, store->Stock());
  std::vector<Part> parts{{"broker", broker->pid(), {}}};
  for (const Process& cloud : clouds) parts.push_back({"cloud", cloud.pid(), {}});
  if (postgres) parts.push_back({"postgres", postgres->pid(), {}});
  parts.push_back({"generator", getpid(), {}});
  for (Part& part : parts) part.before = UsageOf(part.pid);
  const Nanos start = Now();
  fleet.Run([] {});
  const double seconds = SecondsOf(Now() - start);
  FOGLINE_TRY(const Inventory after, store->Stock());

  const Summary ms = fleet.latency_ms();
  fmt::print(
      "{} devices on {} connections, {:.3g} frames/s each for {:.0f} s, "
      "{} cloud(s)\n",
      options.devices, options.connections, options.rate, options.seconds, options.clouds);
  fmt::print(
      "  sent {}   answered stored {}   duplicate {}   unanswered {}   "
      "repeats {}\n",
      fleet.sent(), fleet.stored(), fleet.duplicates(), fleet.unanswered(), fleet.repeats());
  fmt::print("  rows in the store {} ({:.0f} frames/s over {:.1f} s)\n", after.count - before.count,
             static_cast<double>(after.count - before.count) / seconds, seconds);
  fmt::print(
      "  until stored: p50 {:.1f} ms, p95 {:.1f}, p99 {:.1f}, most "
      "{:.1f}; {} with the devices at most\n",
      ms.p50, ms.p95, ms.p99, ms.max, fleet.most_held());
  const auto sent = static_cast<double>(fleet.sent());
  fmt::print("  {:<10} {:>12} {:>18} {:>12}\n", "", "us a frame", "wake-ups a frame", "at most");
  for (const Part& part : parts) {
    const Usage now = UsageOf(part.pid);
    fmt::print("  {:<10} {:>12.1f} {:>18.3f} {:>12}\n", part.who,
               (now.cpu_s - part.before.cpu_s) * 1e6 / sent,
               (now.wakeups - part.before.wakeups) / sent, HumanBytes(PeakBytesOf(part.pid)));
  }
  FOGLINE_TRY(const double commits, CommitsOf(clouds));
  fmt::print("  {:.4f} commits a frame\n", commits / sent);
  if (after.count - before.count != fleet.sent() || fleet.unanswered() > 0) {
    return Fail(ErrorCode::kInternal, "fleet", "{} frames sent, {} stored", fleet.sent(),
                after.count - before.count);
  }
  if (postgres) return PostgresFloor(*postgres, fleet.sent(), kFloorBatch).Show();
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kWarning);
  const fogline::Status status = fogline::Measure(fogline::Parse(argc, argv));
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? 0 : 1;
}
