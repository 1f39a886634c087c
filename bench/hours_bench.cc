// What hours do to memory: a fleet (bench/fleet.h) in which devices leave for new ones, connections
// break, one device floods for a third of the time, clouds on one store have clocks that are apart
// and forget what is old, and a map is asked all the time. Fails when a frame is not stored, or
// when broker, a cloud or the map holds more memory in the last quarter of the time than in the
// third, by more than so many percent.
//
//   hours_bench [--minutes N] [--devices N] [--connections N] [--rate PER_SECOND] [--clouds N]
//               [--churn PER_SECOND] [--flood PER_SECOND] [--apart SECONDS] [--flat PERCENT]
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "bench/fleet.h"
#include "servers/local_broker.h"
#include "store/store.h"
#include "tests/line/http.h"

namespace fogline {
namespace {

/// Caches and the map's memory are full of so much within minutes: what grows then grows for ever.
constexpr const char* kRowsKept = "50000";

struct Hours : FleetOptions {
  int clouds = 2;
  int apart = 600;  // seconds between the clocks of one cloud and the next
  double flat = 5;  // percent
  std::string store;
};

/// A number of /proc/PID/status, kB there, in bytes.
double StatusBytes(pid_t pid, std::string_view field) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::atof(line.c_str() + field.size()) * 1024;
  }
  return 0;
}

/// One process, and what it held second by second: memory of its own, not that of files, which the
/// kernel takes back.
struct Watched {
  std::string who;
  pid_t pid = 0;
  std::vector<double> own{};

  void Look() { own.push_back(StatusBytes(pid, "RssAnon:")); }
  double MostOf(size_t quarter) const {
    const size_t n = own.size();
    return n < 4 ? 0
                 : *std::max_element(own.begin() + static_cast<long>(n * quarter / 4),
                                     own.begin() + static_cast<long>(n * (quarter + 1) / 4));
  }
  /// From the third quarter to the last, in percent.
  double Growth() const { return own.size() < 4 ? 0 : 100 * (MostOf(3) / MostOf(2) - 1); }
};

Hours Parse(int argc, char** argv) {
  Hours options;
  options.devices = 300;
  options.connections = 300;
  options.seconds = 3600;
  options.churn = 5;  // more names than the map keeps, before half of a quarter of an hour is over
  options.flood = 500;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const char* value = argv[i + 1];
    if (flag == "--devices") options.devices = std::atoi(value);
    if (flag == "--connections") options.connections = std::atoi(value);
    if (flag == "--clouds") options.clouds = std::atoi(value);
    if (flag == "--rate") options.rate = std::atof(value);
    if (flag == "--minutes") options.seconds = 60 * std::atof(value);
    if (flag == "--churn") options.churn = std::atof(value);
    if (flag == "--flood") options.flood = std::atof(value);
    if (flag == "--apart") options.apart = std::atoi(value);
    if (flag == "--flat") options.flat = std::atof(value);
  }
  return options;
}

Result<Process> StartCloud(const Hours& options, int number, const std::string& broker,
                           const std::filesystem::path& models, const std::filesystem::path& log) {
  return Process::Start(
      {.command = {"env", std::string("LD_PRELOAD=") + JUMPING_CLOCK,
                   fmt::format("CLOCK_AHEAD={}", number * options.apart), FOGLINE_BINARY, "cloud",
                   "--broker", broker, "--models", models.string(), "--store", options.store,
                   "--workers", "1", "--keep-rows", kRowsKept},
       .capture_stdout = true,
       .stderr_to = log});
}

/// A map, and somebody who asks it for all that its page asks for, over and over.
class AskedMap {
 public:
  Status Start(const std::string& store, const std::filesystem::path& log) {
    port_ = FreePort();
    FOGLINE_TRY(map_, Process::Start({.command = {FOGLINE_BINARY, "map", "--store", store, "--http",
                                                  fmt::format("127.0.0.1:{}", port_)},
                                      .stderr_to = log}));
    asker_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const char* target :
             {"/api/hexagons?level=6", "/api/detections?limit=500", "/api/timeline", "/api/fleet",
              "/api/inventory", "/api/stats", "/metrics"}) {
          answers_ += HttpGet(port_, target).starts_with("HTTP/1.1 200 ") ? 1 : 0;
          std::this_thread::sleep_for(std::chrono::milliseconds(200));  // a page's pace
        }
      }
    });
    return {};
  }
  pid_t pid() const { return map_.pid(); }
  uint64_t answers() const { return answers_; }

 private:
  Process map_ = Process::None();
  int port_ = 0;
  std::atomic<uint64_t> answers_{0};
  std::jthread asker_;
};

void Report(const Hours& options, const Fleet& fleet, double seconds) {
  fmt::print("{} devices on {} connections, {:.3g} frames/s each for {:.0f} s, {} cloud(s)\n",
             options.devices, options.connections, options.rate, seconds, options.clouds);
  fmt::print("  {} devices came in all, {} connections broke, {} frames flooded\n", fleet.came(),
             fleet.broken(), fleet.flooded());
  fmt::print("  sent {}   answered stored {}   duplicate {}   unanswered {}   repeats {}\n",
             fleet.sent(), fleet.stored(), fleet.duplicates(), fleet.unanswered(), fleet.repeats());
  const Summary ms = fleet.latency_ms();
  fmt::print(
      "  until stored: p50 {:.1f} ms, p95 {:.1f}, p99 {:.1f}, most {:.1f}; {} with the devices at "
      "most\n",
      ms.p50, ms.p95, ms.p99, ms.max, fleet.most_held());
}

/// What everybody held; kExhausted for who held more in the end than is allowed.
Status CheckMemory(const std::vector<Watched>& all, double flat) {
  Status fine;
  for (const Watched& one : all) {
    fmt::print("  {:<10} {} resident at most, of its own {} to {} ({:+.1f} %)\n", one.who,
               HumanBytes(StatusBytes(one.pid, "VmHWM:")), HumanBytes(one.MostOf(2)),
               HumanBytes(one.MostOf(3)), one.Growth());
    if (one.Growth() > flat) {
      fine = Fail(ErrorCode::kExhausted, one.who, "holds {:.1f} % more in the last quarter",
                  one.Growth());
    }
  }
  return fine;
}

Status Measure(Hours options) {
  FOGLINE_CHECK(AllowFiles(options.connections));
  const TempDir dir;
  options.store = "sqlite:" + (dir.path() / "fleet.db").string();
  const auto models = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
  FOGLINE_TRY(const Network network, LoadNetwork(models / "litter.onnx", 0));
  FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, MechanismOptions{}));
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  FOGLINE_TRY(const auto store, OpenStore(options.store));  // made here, once
  std::vector<Watched> watched{{"broker", broker->pid()}};
  std::vector<Process> clouds;
  for (int i = 0; i < options.clouds; ++i) {
    FOGLINE_TRY(Process cloud, StartCloud(options, i, broker->url(), models,
                                          dir.path() / fmt::format("cloud-{}.log", i)));
    watched.push_back({fmt::format("cloud {}", i), cloud.pid()});
    clouds.push_back(std::move(cloud));
  }
  AskedMap map;
  FOGLINE_CHECK(map.Start(options.store, dir.path() / "map.log"));
  watched.push_back({"map", map.pid()});
  FOGLINE_TRY(const uint64_t before, store->LastId());
  Fleet fleet(options, broker->port(), *mechanism);
  FOGLINE_CHECK(fleet.Connect());
  const Nanos start = Clock::Real().Steady();
  fleet.Run([&] {
    for (Watched& one : watched) one.Look();
  });
  const double seconds = Millis(Clock::Real().Steady() - start) / 1000;
  FOGLINE_TRY(const uint64_t after, store->LastId());

  Report(options, fleet, seconds);
  fmt::print("  rows that the store took {}, the flood's among them\n", after - before);
  fmt::print("  the map answered {} times\n", map.answers());
  Status memory = CheckMemory(watched, options.flat);
  // How much of the flood was stored, and how much dropped, nobody is told.
  const uint64_t stored = after - before;
  if (fleet.unanswered() > 0 || stored < fleet.sent() || stored > fleet.sent() + fleet.flooded()) {
    return Fail(ErrorCode::kInternal, "fleet", "{} frames sent, {} unanswered, {} stored",
                fleet.sent(), fleet.unanswered(), stored);
  }
  return memory;
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  fogline::SetLogLevel(fogline::LogLevel::kWarning);
  const fogline::Status status = fogline::Measure(fogline::Parse(argc, argv));
  if (!status) fmt::print(stderr, "{}\n", status.error().ToString());
  return status ? 0 : 1;
}
