#include "lab/lab.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/cpu.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "base/progress.h"
#include "lab/bench_model.h"
#include "lab/site.h"
#include "lab/task.h"

namespace fogline {
namespace {

/// Runs of one bar when the machine was busy, the fairest of which counts.
constexpr int kMostTries = 3;
constexpr double kProfileSeconds = 30, kQuickProfileSeconds = 4;
/// A lane takes so much of an experiment at a time.
constexpr double kChunkSeconds = 45;
constexpr double kStartSeconds = 0.8;  // of an edge, for the time left

/// Tasks of one experiment that one lane does in a row.
struct Chunk {
  std::vector<LabTask*> tasks;
  double seconds = 0;
};

/// "AMD EPYC, 4 cores": figures of one machine are not another's.
std::string MachineName() {
  const std::string cpu = CpuName();
  return fmt::format("{}, {} cores", cpu.empty() ? "unknown processor" : cpu,
                     std::thread::hardware_concurrency());
}

class Lab {
 public:
  explicit Lab(const LabOptions& options) : options_(options) {}

  Result<LabResult> Run() {
    FOGLINE_TRY(result_.suite, FindSuite(options_.suite, options_.data));
    result_.quick = options_.quick;
    result_.machine = MachineName();
    result_.date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
    FOGLINE_CHECK(ClaimFolder());
    for (const char* folder : {"runs", "profiles"}) {
      std::error_code error;
      std::filesystem::create_directories(options_.out / folder, error);
      if (error) {
        return Fail(ErrorCode::kUnavailable, options_.out.string(), "cannot be made: {}",
                    error.message());
      }
    }
    log_ = options_.out / "lab.log";
    NoteLoad();
    FOGLINE_CHECK(PrepareModels());
    if (!suite().experiments.empty()) FOGLINE_CHECK(MeasurePipeline());
    FOGLINE_CHECK(MakeTasks());
    FOGLINE_CHECK(Measure());
    FOGLINE_CHECK(MeasureCapacities());
    for (LabTask& task : tasks_) {
      if (task.done) result_.bars.push_back(std::move(task.bar));
    }
    result_.choices = ChoicesOf(result_.bars);
    return std::move(result_);
  }

 private:
  const Suite& suite() const { return result_.suite; }
  int pictures() const { return options_.quick ? suite().quick : suite().count; }
  int repeats() const { return options_.quick ? 1 : suite().repeats; }

  /// Results of two suites in one folder would be taken for each other's.
  Status ClaimFolder() const {
    const auto marker = options_.out / "suite";
    std::error_code error;
    if (!std::filesystem::exists(options_.out, error)) {
      std::filesystem::create_directories(options_.out, error);
    } else if (const auto held = ReadTextFile(marker)) {
      if (*held == suite().name + "\n") return {};
      return Fail(ErrorCode::kUsage, options_.out.string(),
                  "holds results of the suite '{}': name another folder with --out",
                  held->substr(0, held->find('\n')));
    } else if (!error && !std::filesystem::is_empty(options_.out, error) && !error) {
      return Fail(ErrorCode::kUsage, options_.out.string(),
                  "holds something else than results of a suite: name another folder with --out");
    }
    if (error) {
      return Fail(ErrorCode::kUnavailable, options_.out.string(), "cannot be made: {}",
                  error.message());
    }
    return WriteFile(marker, suite().name + "\n");
  }

  /// Names a model's files: of its key and the size that it was asked for.
  std::string TagOf(size_t model) const {
    const SuiteModel& m = suite().models[model];
    return m.side > 0 ? fmt::format("{}-{}px", m.key, m.side) : m.key;
  }

  Status PrepareModels() {
    for (size_t m = 0; m < suite().models.size(); ++m) {
      std::vector<std::string> cuts;
      for (const SuiteExperiment& e : suite().experiments) {
        if (e.model == m) cuts.insert(cuts.end(), e.cuts.begin(), e.cuts.end());
      }
      for (const SuiteCapacity& c : suite().capacities) {
        if (c.model == m) cuts.push_back(c.cut);
      }
      std::ranges::sort(cuts);
      cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
      const SuiteModel& model = suite().models[m];
      FOGLINE_TRY(const auto file,
                  PrepareModel(suite(), model, cuts, options_.out / "models" / TagOf(m), log_));
      models_.push_back(file);
    }
    return {};
  }

  /// A side of a forecast, profiled here where no library knows it.
  Result<Forecaster::Side> SideOf(const SuiteMachine& machine, size_t model) {
    Forecaster::Side side{&machine, {}};
    if (machine.evidence == Evidence::kPaced) return side;
    // Devices and clouds that are this machine share one profile.
    const std::string held = machine.evidence == Evidence::kLimited
                                 ? fmt::format("{:g}-cores", machine.cores)
                                 : std::string("here");
    FOGLINE_TRY(const auto bytes, ReadFile(models_[model]));
    const auto file =
        options_.out / "profiles" /
        fmt::format("{}-{}-{}{}.json", TagOf(model), ToHex(HashSha256(bytes)).substr(0, 8), held,
                    options_.quick ? "-quick" : "");
    FOGLINE_TRY(side.profile,
                ProfileMachine(machine, models_[model], file,
                               options_.quick ? kQuickProfileSeconds : kProfileSeconds, log_));
    return side;
  }

  /// What the pipeline adds to every frame: the typical time of a result, which holds next to
  /// nothing, through broker, cloud and store without a link.
  Status MeasurePipeline() {
    const auto file =
        options_.out / "profiles" / (options_.quick ? "pipeline-quick.json" : "pipeline.json");
    if (const auto text = ReadTextFile(file)) {
      const Json known = ParseJson(*text, file.string()).value_or(Json());
      if (known.is_object() && known.contains("ms")) {
        result_.pipeline_ms = known["ms"];
        return {};
      }
    }
    const SuiteMachine here{"here", "this machine", Evidence::kReal, {}, 1};
    SuiteLink none;
    FOGLINE_TRY(none.profile, ParseInlineLink("up=100Gbps"));
    none.medium = Medium::kUser;
    FOGLINE_TRY(const auto site, LabSite::Open(suite(), here, here, none, models_[0], log_));
    // It goes into every forecast: the calmest of a few runs counts.
    result_.pipeline_ms = INFINITY;
    for (int i = 0; i < kMostTries; ++i) {
      FOGLINE_TRY(const SiteRun run, site->Run({fmt::format("lab-pipeline-{}", i), "edge-only", "",
                                                WireKind::kFogline, pictures(), suite().rate}));
      Bar bar;
      FOGLINE_CHECK(ReadReport(run.report, bar));
      result_.pipeline_ms = std::min(
          result_.pipeline_ms, bar.stage("network") + bar.stage("decode") + bar.stage("store"));
    }
    return WriteFile(file, Dump(Json{{"ms", result_.pipeline_ms}}) + "\n");
  }

  Status MakeTasks() {
    for (size_t i = 0; i < suite().experiments.size(); ++i) {
      const SuiteExperiment& e = suite().experiments[i];
      const SuiteLink& link = suite().links[e.link];
      FOGLINE_TRY(const auto device, SideOf(suite().devices[e.device], e.model));
      FOGLINE_TRY(const auto cloud, SideOf(suite().clouds[e.cloud], e.model));
      FOGLINE_TRY(const auto forecaster,
                  Forecaster::Make(models_[e.model], device, cloud, link.profile));
      FOGLINE_CHECK(AddFacts(e, *forecaster));
      for (const WireKind wire : e.wires) {
        for (const std::string& cut : e.cuts) {
          LabTask task;
          task.bar.experiment = i;
          task.bar.wire = wire;
          task.bar.cut = cut;
          FOGLINE_TRY(task.bar.codec, forecaster->CodecOf(wire, cut));
          FOGLINE_TRY(task.bar.forecast, forecaster->Of(wire, cut));
          task.bar.forecast.pipeline = result_.pipeline_ms;
          const Forecast& f = task.bar.forecast;
          const double per_picture = std::max({f.edge + f.encode, f.total() - f.edge - f.encode,
                                               suite().rate > 0 ? 1000 / suite().rate : 0});
          task.seconds = repeats() * (kStartSeconds + pictures() * per_picture / 1000);
          task.fingerprint =
              Fingerprint(suite(), task.bar, forecaster->model(), repeats(), pictures());
          task.file =
              options_.out / "runs" / fmt::format("{}-{}-{}.json", e.key, NameOf(wire), cut);
          tasks_.push_back(std::move(task));
        }
      }
    }
    for (LabTask& task : tasks_) {
      task.done = ReadTask(task, options_.quick);
      result_.found += task.done ? 1 : 0;
    }
    return {};
  }

  /// What figures 4 and 5 show: of the first experiment on each model.
  Status AddFacts(const SuiteExperiment& e, const Forecaster& forecaster) {
    const std::string& key = suite().models[e.model].key;
    const auto same = [&](const ModelFacts& facts) { return facts.key == key; };
    if (std::ranges::any_of(result_.models, same)) return {};
    ModelFacts facts;
    facts.key = key;
    const Model& model = forecaster.model();
    for (const Node& node : model.nodes()) {
      double bytes = 0;
      for (const int a : node.outputs) {
        bytes += static_cast<double>(model.activations()[static_cast<size_t>(a)].bytes());
      }
      facts.layers.emplace_back(node.name, bytes);
    }
    for (const std::string& cut : e.cuts) {
      FOGLINE_TRY(const Cut found, forecaster.CutOf(cut));
      facts.cuts.push_back({cut, found.name, static_cast<double>(found.bytes), found.edge_nodes,
                            static_cast<double>(found.edge_madds),
                            static_cast<double>(found.cloud_madds)});
    }
    result_.models.push_back(std::move(facts));
    return {};
  }

  Status MeasureCapacities() {
    for (size_t i = 0; i < suite().capacities.size(); ++i) {
      const SuiteCapacity& entry = suite().capacities[i];
      const auto file = options_.out / "runs" / fmt::format("capacity-{}.json", entry.key);
      FOGLINE_TRY(const auto bytes, ReadFile(models_[entry.model]));
      const std::string fingerprint =
          fmt::format("1|{}|{}|{}|{}", ToHex(HashSha256(bytes)), suite().models[entry.model].side,
                      NameOf(entry.wire), entry.cut) +
          (options_.quick ? "|quick" : "");
      Capacity capacity;
      const auto earlier = ReadTextFile(file);
      if (earlier && ReadCapacity(*earlier, fingerprint, capacity)) {
        capacity.entry = i;
        ++result_.found;
      } else {
        Progress progress("capacity of " + entry.key, 0);
        CapacityOptions options;
        options.progress = [&](const LoadStep& step) {
          progress.Advance(
              1, fmt::format("{:.0f} devices: {:.0f}/s stored, p95 {:.1f} ms", step.devices,
                             step.stored_per_second, step.latency_ms.p95));
        };
        if (options_.quick) {
          options.step_seconds = 1;
          options.refinements = 0;
          options.most = 100;
        }
        FOGLINE_TRY(capacity, MeasureCapacity(suite(), i, models_[entry.model], options, log_));
        FOGLINE_CHECK(WriteFile(file, CapacityJson(capacity, fingerprint) + "\n"));
        ++result_.measured;
      }
      result_.capacities.push_back(std::move(capacity));
    }
    return {};
  }

  bool IsPaced(const LabTask& task) const {
    const SuiteExperiment& e = suite().experiments[task.bar.experiment];
    return suite().devices[e.device].evidence == Evidence::kPaced &&
           suite().clouds[e.cloud].evidence == Evidence::kPaced;
  }

  /// Paced machines mostly sleep, so several experiments go side by side; real ones go alone.
  Status Measure() {
    std::vector<Chunk> alone, beside;
    double total = 0;
    for (LabTask& task : tasks_) {
      if (task.done) continue;
      total += task.seconds;
      auto& chunks = IsPaced(task) ? beside : alone;
      if (chunks.empty() || chunks.back().seconds > kChunkSeconds ||
          chunks.back().tasks.back()->bar.experiment != task.bar.experiment) {
        chunks.emplace_back();
      }
      chunks.back().tasks.push_back(&task);
      chunks.back().seconds += task.seconds;
    }
    // The longest first, so that no lane is left with a long one at the end.
    std::ranges::stable_sort(beside, std::greater<>(), &Chunk::seconds);
    progress_ = std::make_unique<Progress>("measuring (s of one lane)",
                                           static_cast<size_t>(std::ceil(total)));
    Status status = InLanes(alone, 1);
    if (status) status = InLanes(beside, suite().lanes);
    progress_.reset();
    return status;
  }

  Status InLanes(std::vector<Chunk>& chunks, int lanes) {
    std::atomic<size_t> next{0};
    std::mutex mutex;
    Status failed;
    {
      std::vector<std::jthread> threads;
      for (int lane = 0; lane < lanes && lane < static_cast<int>(chunks.size()); ++lane) {
        threads.emplace_back([&] {
          for (size_t i = next++; i < chunks.size(); i = next++) {
            const Status status = RunChunk(chunks[i]);
            const std::lock_guard lock(mutex);
            if (!status && failed) failed = status;
            if (!failed) return;
          }
        });
      }
    }
    return failed;
  }

  Status RunChunk(Chunk& chunk) {
    const SuiteExperiment& e = suite().experiments[chunk.tasks[0]->bar.experiment];
    FOGLINE_TRY(const auto site,
                LabSite::Open(suite(), suite().devices[e.device], suite().clouds[e.cloud],
                              suite().links[e.link], models_[e.model], log_));
    if (!site->fallback().empty()) {
      Note(fmt::format(
          "the kernel's own shaping could not be used ({}); links were made in user space",
          site->fallback()));
    }
    for (LabTask* task : chunk.tasks) {
      if (StopRequested()) return Fail(ErrorCode::kCancelled, suite().name, "stopped");
      FOGLINE_CHECK(RunTask(*site, *task));
      const std::lock_guard lock(mutex_);
      ++result_.measured;
      progress_->Advance(static_cast<size_t>(std::ceil(task->seconds)),
                         e.key + " " + std::string(NameOf(task->bar.wire)) + " " + task->bar.cut);
    }
    return {};
  }

  /// Others' work is in our figures: who reads them shall know.
  void NoteLoad() {
    double load = 0;
    const auto cores = static_cast<double>(std::thread::hardware_concurrency());
    if (getloadavg(&load, 1) < 1 || load < 0.5 * cores) return;
    Note(
        fmt::format("the machine was busy with other work as this run began (load {:.1f} on {:.0f} "
                    "cores)",
                    load, cores));
  }

  /// Once each, and on the log.
  void Note(const std::string& note) {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(result_.notes, note) != result_.notes.end()) return;
    LogWarning("{}", note);
    result_.notes.push_back(note);
  }

  /// Measures until there are as many fair runs as wanted, or too many were tried; the median of
  /// them counts, or the fairest where none was fair.
  Status RunTask(LabSite& site, LabTask& task) {
    struct Try {
      Bar bar;
      std::string report;
    };
    std::vector<Try> fair, unfair;
    for (int i = 0; static_cast<int>(fair.size()) < repeats() && i < repeats() + kMostTries - 1;
         ++i) {
      const EdgeRun run{fmt::format("lab-{}", runs_++),
                        task.bar.cut,
                        task.bar.codec,
                        task.bar.wire,
                        pictures(),
                        suite().rate};
      FOGLINE_TRY(SiteRun made, site.Run(run));
      Try t{task.bar, std::move(made.report)};
      FOGLINE_CHECK(ReadReport(t.report, t.bar));
      t.bar.frames = std::move(made.frames);
      t.bar.medium = site.medium();
      (t.bar.spread <= kFairSpread || options_.quick ? fair : unfair).push_back(std::move(t));
    }
    auto& tries = fair.empty() ? unfair : fair;
    if (fair.empty()) {
      std::ranges::sort(tries, {}, [](const Try& t) { return t.bar.spread; });
    } else {
      std::ranges::sort(tries, {}, [](const Try& t) { return t.bar.measured_ms; });
    }
    Try& counts = tries[fair.empty() ? 0 : (tries.size() - 1) / 2];
    task.bar = std::move(counts.bar);
    task.done = true;
    return WriteTask(task, counts.report);
  }

  const LabOptions options_;
  LabResult result_;
  std::filesystem::path log_;
  std::vector<std::filesystem::path> models_;
  std::vector<LabTask> tasks_;
  std::atomic<int> runs_{0};
  std::mutex mutex_;  // result_.measured and progress_ while lanes run
  std::unique_ptr<Progress> progress_;
};

}  // namespace

Result<LabResult> RunLab(const LabOptions& options) { return Lab(options).Run(); }

}  // namespace fogline
