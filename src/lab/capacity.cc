#include "lab/capacity.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "edge/mechanism.h"
#include "frame/json_frame.h"
#include "lab/forecast.h"
#include "servers/local_broker.h"
#include "vision/folder.h"

namespace fogline {
namespace {

constexpr size_t kMostPictures = 20;
constexpr double kGrowth = 1.5;
constexpr int kTries = 3;  // of a step that failed on a cloud that was not busy
constexpr double kFullCore = 0.9;

/// The last core that this process may use; -1 where it is the only one.
int LastCore() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2) return -1;
  int last = -1;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) last = i;
  }
  return last;
}

/// Keeps this thread, and the processes and threads that it starts, off one core.
class KeepOff {
 public:
  explicit KeepOff(int core) {
    if (core < 0 || sched_getaffinity(0, sizeof(before_), &before_) != 0) return;
    cpu_set_t others = before_;
    CPU_CLR(core, &others);
    moved_ = sched_setaffinity(0, sizeof(others), &others) == 0;
  }
  ~KeepOff() {
    if (moved_) sched_setaffinity(0, sizeof(before_), &before_);
  }
  KeepOff(const KeepOff&) = delete;
  KeepOff& operator=(const KeepOff&) = delete;

 private:
  cpu_set_t before_{};
  bool moved_ = false;
};

/// Processor time that a process has used, in seconds; 0 where it cannot be read.
double CpuSeconds(pid_t pid) {
  const auto stat = ReadTextFile(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return 0;
  // The name in parentheses may hold anything; user and system time are fields 14 and 15.
  std::istringstream fields(stat->substr(name_end + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Result<std::vector<LoadFrame>> MakeFrames(const Suite& suite, const std::filesystem::path& model,
                                          const SuiteCapacity& entry, Capacity& out) {
  FOGLINE_TRY(const Network network, LoadNetwork(model));
  MechanismOptions options;
  options.cut = entry.cut;
  options.json = entry.wire == WireKind::kJson;
  FOGLINE_TRY(const auto mechanism, Mechanism::Make(network, options));
  out.codec = mechanism->codec();
  FOGLINE_TRY(auto files, ListImages(suite.pictures));
  if (files.size() > kMostPictures) files.resize(kMostPictures);
  std::vector<LoadFrame> frames(files.size());
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < files.size(); ++i) {
    FOGLINE_TRY(const Picture picture, LoadPicture(files[i], network.card.width));
    Prepared prepared;
    FOGLINE_CHECK(mechanism->Process(picture.image, prepared));
    LoadFrame& f = frames[i];
    f.json = options.json;
    mechanism->Stamp(f.frame);
    f.frame.device = "load-000000";
    f.frame.has_position = picture.exif.position.has_value();
    if (picture.exif.position) {
      f.frame.lat = picture.exif.position->lat;
      f.frame.lon = picture.exif.position->lon;
    }
    f.data = std::move(prepared.data);  // where the payloads look stays where it is
    f.frame.payloads = std::move(prepared.payloads);
    FOGLINE_CHECK(f.json ? WriteJsonFrame(f.frame, bytes) : WriteFrame(f.frame, bytes));
    out.frame_bytes += static_cast<double>(bytes.size()) / static_cast<double>(files.size());
  }
  return frames;
}

Json ToJson(const Summary& s) { return {{"p50", s.p50}, {"p95", s.p95}, {"mean", s.mean}}; }

Summary ToSummary(const Json& j) {
  Summary s;
  s.p50 = j.at("p50");
  s.p95 = j.at("p95");
  s.mean = j.at("mean");
  return s;
}

/// Steps of load, up until one fails and then between the two.
class CapacitySearch {
 public:
  CapacitySearch(const CapacityOptions& options, LoadGenerator& generator, const Process& cloud,
                 const LocalBroker& broker, Capacity& out)
      : options_(options), generator_(generator), cloud_(cloud), broker_(broker), out_(out) {}

  Status Run(double guess) {
    // The cloud opens the network with the first frame; that step does not count.
    FOGLINE_CHECK(Measure(5).map([](const LoadStep&) {}));
    out_.steps.clear();
    out_.devices = 0;

    double devices = options_.first > 0 ? options_.first : std::max(20.0, guess);
    double failed = 0;
    while (failed == 0) {
      FOGLINE_TRY(const LoadStep step, Measure(std::round(devices)));
      if (!Holds(step)) {
        failed = devices;
      } else {
        devices *= kGrowth;
      }
      if (options_.most > 0 && devices > options_.most) return {};
    }
    // Not even the first: down until one holds.
    while (out_.devices == 0 && devices >= 2) {
      failed = devices;
      devices = std::floor(devices / 2);
      FOGLINE_CHECK(Measure(devices).map([](const LoadStep&) {}));
    }
    double low = out_.devices, high = failed;
    for (int i = 0; i < options_.refinements && low > 0; ++i) {
      const double middle = std::round((low + high) / 2);
      FOGLINE_TRY(const LoadStep step, Measure(middle));
      (Holds(step) ? low : high) = middle;
    }
    return {};
  }

 private:
  /// Where a step fails though the cloud's core had time left, something else was in the way (a
  /// disk that somebody writes to, a core that somebody uses): it is tried again before it counts.
  Result<LoadStep> Measure(double devices) {
    FOGLINE_TRY(LoadStep step, Once(devices));
    for (int i = 1; i < kTries && !Holds(step) && step.cloud_cpu < kFullCore; ++i) {
      FOGLINE_TRY(step, Once(devices));
    }
    return step;
  }

  Result<LoadStep> Once(double devices) {
    struct Used {
      Nanos at;
      double cloud, broker, generator;
    };
    std::vector<Used> used;
    FOGLINE_TRY(LoadStep step, generator_.Step(devices, options_.step_seconds, [&] {
      used.push_back({Clock::Real().Steady(), CpuSeconds(cloud_.pid()), CpuSeconds(broker_.pid()),
                      CpuSeconds(getpid())});
    }));
    const Used &from = used.front(), &to = used.back();
    const double lasted = std::max(1e-3, Millis(to.at - from.at) / 1000);
    step.cloud_cpu = (to.cloud - from.cloud) / lasted;
    step.broker_cpu = (to.broker - from.broker) / lasted;
    step.generator_cpu = (to.generator - from.generator) / lasted;
    out_.steps.push_back(step);
    if (options_.progress) options_.progress(step);
    if (Holds(step) && devices > out_.devices) {
      out_.devices = devices;
      out_.at = step;
    }
    return step;
  }

  const CapacityOptions& options_;
  LoadGenerator& generator_;
  const Process& cloud_;
  const LocalBroker& broker_;
  Capacity& out_;
};

}  // namespace

std::string CapacityJson(const Capacity& capacity, const std::string& fingerprint) {
  Json steps = Json::array();
  for (const LoadStep& s : capacity.steps) {
    steps.push_back({{"devices", s.devices},
                     {"sent_per_second", s.sent_per_second},
                     {"stored_per_second", s.stored_per_second},
                     {"backlog", s.backlog},
                     {"latency_ms", ToJson(s.latency_ms)},
                     {"queue_ms", ToJson(s.queue_ms)},
                     {"decode_ms", ToJson(s.decode_ms)},
                     {"suffix_ms", ToJson(s.suffix_ms)},
                     {"store_ms", ToJson(s.store_ms)},
                     {"cloud_cpu", s.cloud_cpu},
                     {"broker_cpu", s.broker_cpu},
                     {"generator_cpu", s.generator_cpu},
                     {"holds", Holds(s)}});
  }
  return Dump(Json{{"fingerprint", fingerprint},
                   {"codec", capacity.codec},
                   {"frame_bytes", capacity.frame_bytes},
                   {"devices", capacity.devices},
                   {"pinned", capacity.pinned},
                   {"steps", steps}});
}

bool ReadCapacity(const std::string& text, const std::string& fingerprint, Capacity& out) {
  const Json run = ParseJson(text, "capacity").value_or(Json());
  if (!run.is_object() || run.value("fingerprint", "") != fingerprint) return false;
  try {
    out.codec = run.at("codec");
    out.frame_bytes = run.at("frame_bytes");
    out.devices = run.at("devices");
    out.pinned = run.at("pinned");
    for (const Json& j : run.at("steps")) {
      LoadStep s;
      s.devices = j.at("devices");
      s.sent_per_second = j.at("sent_per_second");
      s.stored_per_second = j.at("stored_per_second");
      s.backlog = j.at("backlog");
      s.latency_ms = ToSummary(j.at("latency_ms"));
      s.queue_ms = ToSummary(j.at("queue_ms"));
      s.decode_ms = ToSummary(j.at("decode_ms"));
      s.suffix_ms = ToSummary(j.at("suffix_ms"));
      s.store_ms = ToSummary(j.at("store_ms"));
      s.cloud_cpu = j.at("cloud_cpu");
      s.broker_cpu = j.at("broker_cpu");
      s.generator_cpu = j.at("generator_cpu");
      if (s.devices == out.devices && Holds(s)) out.at = s;
      out.steps.push_back(s);
    }
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

CapacityCost CostOf(const Capacity& capacity) {
  CapacityCost cost;
  const LoadStep& at = capacity.at;
  if (at.stored_per_second > 0) {
    cost.total_us = at.cloud_cpu / at.stored_per_second * 1e6;
    cost.decode_us = at.decode_ms.mean * 1000;
    cost.suffix_us = at.suffix_ms.mean * 1000;
    cost.rest_us = std::max(0.0, cost.total_us - cost.decode_us - cost.suffix_us);
  }
  for (const LoadStep& step : capacity.steps) {
    if (Holds(step)) continue;
    cost.limit = step.cloud_cpu >= kFullCore                  ? "the cloud's core"
                 : step.broker_cpu >= kFullCore               ? "the broker's core"
                 : step.sent_per_second < 0.95 * step.devices ? "the load generator"
                                                              : "the rest of the machine";
    break;
  }
  return cost;
}

bool Holds(const LoadStep& step) {
  return step.stored_per_second >= 0.98 * step.devices &&
         static_cast<double>(step.backlog) <= std::max(32.0, 0.5 * step.devices) &&
         step.latency_ms.p95 < 1000;
}

Result<Capacity> MeasureCapacity(const Suite& suite, size_t index,
                                 const std::filesystem::path& model, const CapacityOptions& options,
                                 const std::filesystem::path& log) {
  const SuiteCapacity& entry = suite.capacities[index];
  Capacity out;
  out.entry = index;
  const int core = LastCore();
  out.pinned = core >= 0;
  const TempDir dir;
  FOGLINE_TRY(auto frames, MakeFrames(suite, model, entry, out));
  const KeepOff keep_off(core);
  FOGLINE_TRY(const auto broker, LocalBroker::Start());
  std::vector<std::string> command;
  if (core >= 0) command = {"taskset", "-c", std::to_string(core)};
  command.insert(command.end(), {FoglinePath().string(), "cloud", "--models",
                                 model.parent_path().string(), "--broker", broker->url(), "--store",
                                 "sqlite:" + (dir.path() / "capacity.db").string(), "--workers",
                                 "1", "--threads", "1"});
  FOGLINE_TRY(const Process cloud,
              Process::Start({.command = command, .capture_stdout = false, .stderr_to = log}));
  FOGLINE_TRY(const auto generator, LoadGenerator::Start(broker->url(), std::move(frames)));
  CapacitySearch search(options, *generator, cloud, *broker, out);
  FOGLINE_CHECK(search.Run(std::max(entry.wanted, entry.paper) / 3));
  return out;
}

}  // namespace fogline
