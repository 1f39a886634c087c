// What the line costs beyond the engine: the cloud's images/s on one worker against a bare loop
// over the same session, an edge's latency beyond its own work, on loopback with a real broker, and
// an edge's memory.
// Ratios in one run; the absolute times are this machine's.
//
//   line_bench
//   line_bench --against FOGLINE [--rounds N] [--frames N]   what a frame costs beside that binary
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/stats.h"
#include "bench/frame_cost.h"
#include "cloud/cloud.h"
#include "cloud/worker.h"
#include "edge/mechanism.h"
#include "edge/sender.h"
#include "servers/local_broker.h"
#include "vision/folder.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models";
constexpr size_t kFrames = 600;

struct Case {
  const char* cut;
  const char* codec;
};

double Seconds(Nanos t) { return std::chrono::duration<double>(t).count(); }

/// Frames a second that one thread works through without broker, store or queues.
Result<double> BareLoop(const Mechanism& mechanism, const Prepared& prepared) {
  FOGLINE_TRY(const auto registry, Registry::Open({.folder = kModels, .threads = 1}));
  Worker worker(*registry);
  Frame frame;
  frame.device = "bench";
  mechanism.Stamp(frame);
  frame.payloads = prepared.payloads;
  std::vector<std::byte> bytes;
  FOGLINE_CHECK(WriteFrame(frame, bytes));
  FOGLINE_TRY(const Worked first, worker.Work(bytes, "bench"));  // opens the network
  const Nanos start = Clock::Real().Steady();
  for (size_t i = 0; i < kFrames; ++i) {
    FOGLINE_TRY(const Worked worked, worker.Work(bytes, "bench"));
  }
  return kFrames / Seconds(Clock::Real().Steady() - start);
}

struct Measured {
  double per_second = 0;
  Summary overhead_ms;
};

/// The same frames through broker, cloud (one worker) and store. `window` 1 measures latency, a
/// large one throughput. `spool`: every frame passes the disk as well.
Result<Measured> ThroughTheLine(const Mechanism& mechanism, const Prepared& prepared, size_t window,
                                size_t frames, bool spool = false) {
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  const TempDir dir;
  FOGLINE_TRY(const auto store, OpenStore("sqlite:" + (dir.path() / "bench.db").string()));
  CloudOptions cloud_options;
  FOGLINE_TRY(cloud_options.link.broker, ParseBroker(broker->url()));
  cloud_options.models.folder = kModels;
  FOGLINE_TRY(const auto cloud, Cloud::Start(cloud_options, *store, [] {}));
  SenderOptions options;
  options.link = cloud_options.link;
  options.device = "bench";
  options.window = window;
  if (spool) options.spool.folder = dir.path() / "spool";
  std::mutex mutex;
  std::vector<double> overheads;
  FOGLINE_TRY(const auto sender, Sender::Start(options, [&](const Receipt& r) {
                const std::lock_guard lock(mutex);
                const StageTimes& s = r.delivery.stages;
                overheads.push_back(r.delivery.total_ms - s.window - s.decode - s.suffix - s.store);
              }));
  Frame frame;
  mechanism.Stamp(frame);
  frame.payloads = prepared.payloads;
  // The first frames open the network and warm the broker's path.
  for (int i = 0; i < 10; ++i) FOGLINE_CHECK(sender->Send(frame, Clock::Real().Steady(), false));
  sender->Drain(60s);
  overheads.clear();
  const Nanos start = Clock::Real().Steady();
  for (size_t i = 0; i < frames; ++i) {
    sender->WaitForRoom();
    FOGLINE_CHECK(sender->Send(frame, Clock::Real().Steady(), false));
  }
  if (sender->Drain(60s) + sender->counts().kept > 0)
    return Fail(ErrorCode::kInternal, "bench", "frames were not answered");
  Measured measured;
  measured.per_second = static_cast<double>(frames) / Seconds(Clock::Real().Steady() - start);
  measured.overhead_ms = Summarize(overheads);
  return measured;
}

/// Runs a process to its end; the most it held, in bytes. What a rusage says of a child is no less
/// than what this process held when it forked, and than what the child's own children did.
uint64_t PeakOf(Process& process) {
  const std::string file = fmt::format("/proc/{}/status", process.pid());
  constexpr std::string_view kPeak = "VmHWM:";
  uint64_t peak = 0;
  while (process.Running()) {
    const std::string text = ReadTextFile(file).value_or("");
    const size_t at = text.find(kPeak);
    if (at != std::string::npos) {
      peak = std::strtoull(text.c_str() + at + kPeak.size(), nullptr, 10) * 1024;
    }
    std::this_thread::sleep_for(5ms);
  }
  return peak;
}

/// Megabytes resident at most of `fogline edge` on the demo's pictures, the largest of the
/// mechanisms.
Result<double> EdgeMegabytes() {
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  const TempDir dir;
  FOGLINE_TRY(const auto store, OpenStore("sqlite:" + (dir.path() / "bench.db").string()));
  CloudOptions options;
  FOGLINE_TRY(options.link.broker, ParseBroker(broker->url()));
  options.models.folder = kModels;
  FOGLINE_TRY(const auto cloud, Cloud::Start(options, *store, [] {}));
  uint64_t most = 0;
  for (const std::string mechanism : {"edge-only", "cloud-only", "split"}) {
    std::vector<std::string> words = {FOGLINE_BINARY, "edge",
                                      "--broker",     broker->url(),
                                      "--model",      (kModels / "litter.onnx").string(),
                                      "--source",     (kModels / "demo").string(),
                                      "--mechanism",  mechanism,
                                      "--device",     "bench-" + mechanism};
    if (mechanism == "split") words.insert(words.end(), {"--cut", "split13"});
    FOGLINE_TRY(auto edge, Process::Start({.command = words, .stderr_to = dir.path() / mechanism}));
    most = std::max(most, PeakOf(edge));
    if (edge.Wait() != 0) return Fail(ErrorCode::kInternal, "bench", "{} failed", mechanism);
  }
  return static_cast<double>(most) / 1e6;
}

Status Run() {
  SetLogLevel(LogLevel::kError);
  FOGLINE_TRY(const Network network, LoadNetwork(kModels / "litter.onnx"));
  FOGLINE_TRY(const auto pictures, ListImages(kModels / "demo"));
  FOGLINE_TRY(const Picture picture, LoadPicture(pictures[0], 320));
  fmt::print("{:<12} {:<10} {:>12} {:>12} {:>8} {:>16} {:>12} {:>18} {:>12}\n", "cut", "codec",
             "bare /s", "line /s", "ratio", "overhead p50 ms", "p95 ms", "with spool p50 ms",
             "p95 ms");
  for (const Case& c : {Case{"input", "jpeg:90"}, Case{"split10", "f16"}, Case{"split13", "f16"},
                        Case{"output", ""}}) {
    MechanismOptions options;
    options.cut = c.cut;
    options.codec = c.codec;
    FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, options));
    Prepared prepared;
    FOGLINE_CHECK(mechanism->Process(picture.image, prepared));
    FOGLINE_TRY(const double bare, BareLoop(*mechanism, prepared));
    FOGLINE_TRY(const Measured loaded, ThroughTheLine(*mechanism, prepared, 64, kFrames));
    FOGLINE_TRY(const Measured alone, ThroughTheLine(*mechanism, prepared, 1, 200));
    FOGLINE_TRY(const Measured spooled, ThroughTheLine(*mechanism, prepared, 1, 200, true));
    // Edge-only leaves the cloud nothing to run, so there is no engine to compare with.
    const bool runs = mechanism->name() != "edge-only";
    fmt::print("{:<12} {:<10} {:>12} {:>12.0f} {:>8} {:>16.3f} {:>12.3f} {:>18.3f} {:>12.3f}\n",
               c.cut, mechanism->codec(), runs ? fmt::format("{:.0f}", bare) : "-",
               loaded.per_second, runs ? fmt::format("{:.2f}", loaded.per_second / bare) : "-",
               alone.overhead_ms.p50, alone.overhead_ms.p95, spooled.overhead_ms.p50,
               spooled.overhead_ms.p95);
  }
  FOGLINE_TRY(const double edge, EdgeMegabytes());
  fmt::print("an edge: {:.0f} MB resident at most\n", edge);
  return {};
}

}  // namespace
}  // namespace fogline

int main(int argc, char** argv) {
  std::string old;
  int rounds = 20, frames = 400;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--against") old = argv[i + 1];
    if (flag == "--rounds") rounds = std::max(1, std::atoi(argv[i + 1]));
    if (flag == "--frames") frames = std::max(1, std::atoi(argv[i + 1]));
  }
  const fogline::Status status =
      old.empty()
          ? fogline::Run()
          : fogline::bench::CompareCosts(FOGLINE_BINARY, old, fogline::kModels, rounds, frames);
  if (!status) fmt::print(stderr, "line_bench: {}\n", status.error().ToString());
  return status ? 0 : 1;
}
