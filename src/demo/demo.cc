#include "demo/demo.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/text.h"
#include "cloud/cloud.h"
#include "codec/runnable.h"
#include "edge/gate.h"
#include "edge/mechanism.h"
#include "servers/local_broker.h"
#include "servers/local_postgres.h"
#include "vision/folder.h"
#include "vision/network.h"
#include "web/cloud_metrics.h"
#include "web/web_server.h"

namespace fogline {
namespace {

/// Of the cuts that leave the cloud at least a tenth of the work, the one that sends least: by
/// calibration where there is one, by the tensor's size otherwise.
Result<Cut> DefaultCut(const Network& network) {
  FOGLINE_TRY(const auto cuts, ListCuts(network.model));
  FOGLINE_TRY(const auto bundle, FindBundle(network, {}));
  const Cut* best = nullptr;
  double best_bytes = 0;
  for (const Cut& cut : cuts) {
    const bool splits = cut.is_split() && !WhyNotRun(network.contract, cut, std::nullopt);
    if (!splits || 10 * cut.cloud_madds < cut.edge_madds + cut.cloud_madds) continue;
    const CalibratedPair* pair = bundle ? CheapestPair(*bundle, cut.id) : nullptr;
    if (bundle && pair == nullptr) continue;
    const double bytes = pair != nullptr ? pair->bytes_mean : static_cast<double>(cut.bytes);
    if (best == nullptr || bytes < best_bytes) {
      best = &cut;
      best_bytes = bytes;
    }
  }
  if (best == nullptr) {
    return Fail(ErrorCode::kUnsupported, network.path.string(),
                "has no cut that edge and cloud can run");
  }
  return *best;
}

/// The device whose sure pictures leave early, and what of them may differ, tried in this order.
constexpr const char* kEarly = "demo-early-exit";
constexpr double kMayDiffer[] = {0.01, 0.02, 0.05, 0.1};

/// A worker as on another machine.
Result<Process> StartWorker(const std::string& broker, const std::filesystem::path& models,
                            const std::string& store, const std::filesystem::path& log) {
  return Process::Start({.command = {FoglinePath().string(), "cloud", "--broker", broker,
                                     "--models", models.string(), "--store", store},
                         .capture_stdout = true,
                         .stderr_to = log});
}

/// The least that one of the network's exits can promise; nothing where none can.
std::optional<double> LeastPromise(const Network& network, const Cut& cut) {
  if (network.card.exits.empty()) return std::nullopt;
  for (const double most : kMayDiffer) {
    if (ChooseGate(network, cut, {std::nullopt, most, 0, "demo"})) return most;
  }
  return std::nullopt;
}

/// One edge as a process of its own, like in the field.
struct Edge {
  std::string device;
  Process process;
  std::filesystem::path log;  // what it said
};

/// Hands on what an edge said; its last line, where one that failed says why.
std::string HandOn(const Edge& edge) {
  std::istringstream log(ReadTextFile(edge.log).value_or(""));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    last = Printable(line);
    LogInfo("{}: {}", edge.device, last);
  }
  return last;
}

Result<Edge> StartEdge(const DemoOptions& options, const std::string& broker,
                       const std::filesystem::path& model, const std::filesystem::path& images,
                       const std::filesystem::path& log, const std::string& device,
                       const std::vector<std::string>& mechanism) {
  std::vector<std::string> command{FoglinePath().string(),
                                   "edge",
                                   "--json",
                                   "--broker",
                                   broker,
                                   "--model",
                                   model.string(),
                                   "--source",
                                   images.string(),
                                   "--device",
                                   device,
                                   "--rate",
                                   fmt::format("{}", options.rate)};
  if (options.recursive) command.emplace_back("--recursive");
  if (options.thumbnail > 0) {
    command.insert(command.end(), {"--thumbnail", std::to_string(options.thumbnail)});
  }
  command.insert(command.end(), mechanism.begin(), mechanism.end());
  FOGLINE_TRY(Process process,
              Process::Start({.command = command, .capture_stdout = true, .stderr_to = log}));
  return Edge{device, std::move(process), log};
}

/// A device's name and the flags of its mechanism.
using Way = std::pair<std::string, std::vector<std::string>>;

std::vector<Way> Ways(const std::string& cut, std::optional<double> may_differ) {
  std::vector<Way> ways{{"demo-edge-only", {"--mechanism", "edge-only"}},
                        {"demo-cloud-only", {"--mechanism", "cloud-only"}},
                        {"demo-split", {"--mechanism", "split", "--cut", cut}}};
  if (may_differ) {
    ways.push_back({kEarly,
                    {"--mechanism", "split", "--cut", cut, "--max-disagreement",
                     fmt::format("{}", *may_differ)}});
  }
  return ways;
}

/// An edge each way, or as many as are asked for, way after way.
Result<std::vector<Edge>> StartEdges(const DemoOptions& options, const std::string& broker,
                                     const std::filesystem::path& model,
                                     const std::filesystem::path& images,
                                     const std::filesystem::path& logs,
                                     const std::vector<Way>& ways) {
  std::vector<Edge> edges;
  const size_t count = options.devices > 0 ? static_cast<size_t>(options.devices) : ways.size();
  for (size_t i = 0; i < count; ++i) {
    const auto& [name, mechanism] = ways[i % ways.size()];
    const size_t round = i / ways.size();
    const std::string device = round == 0 ? name : fmt::format("{}-{}", name, round + 1);
    FOGLINE_TRY(Edge edge, StartEdge(options, broker, model, images, logs / (device + ".log"),
                                     device, mechanism));
    edges.push_back(std::move(edge));
  }
  return edges;
}

Result<DemoMechanism> Collect(Edge& edge, Store& store) {
  FOGLINE_TRY(const std::string text, edge.process.ReadStdout());
  const int status = edge.process.Wait();
  const std::string line = HandOn(edge);
  const Json report = ParseJson(text, edge.device).value_or(Json());
  if (status != 0 || !report.is_object()) {
    return Fail(ErrorCode::kInternal, edge.device, "its edge ended with status {}: {}", status,
                line.empty() ? "it said nothing" : line);
  }
  DemoMechanism m;
  m.device = edge.device;
  m.name = edge.device.starts_with(kEarly) ? "early exit" : report["mechanism"].get<std::string>();
  m.early = report["early"];
  m.cut = report["cut"];
  m.codec = report["codec"];
  m.images = report["images"];
  m.sent = report["sent"];
  m.skipped = report["skipped"];
  m.bytes_mean = report["bytes_mean"];
  m.p50_ms = report["latency_ms"]["p50"];
  m.p95_ms = report["latency_ms"]["p95"];
  m.hypothetical_p50_ms = report["hypothetical_ms"]["p50"];
  m.overhead_p50_ms = report["overhead_ms"]["p50"];
  for (const auto& [stage, times] : report["stages_ms"].items())
    m.stages_p50_ms.emplace_back(stage, times["p50"]);
  m.resident_bytes = edge.process.max_resident_bytes();
  // The edge's own count is what was acknowledged; what counts is what the store holds.
  FOGLINE_TRY(const Inventory stock, store.Stock());
  for (const ValueTally& tally : stock.devices) {
    if (tally.text == edge.device) m.stored = tally.count;
  }
  return m;
}

Result<std::unique_ptr<WebServer>> StartMap(const DemoOptions& options,
                                            const std::filesystem::path& model,
                                            const CloudMetrics& metrics, Store& store) {
  WebOptions web;
  web.metrics = metrics.Ask();
  web.cloud = metrics.AskState();
  web.models = Absolute(model).parent_path();
  web.address = options.address;
  web.port = options.port;
  web.basemap = options.basemap;
  web.basemap_attribution = options.basemap_attribution;
  web.thumbnails = options.thumbnail > 0;
  auto server = WebServer::Start(web, store);
  if (server || options.port == 0) return server;
  web.port = 0;
  return WebServer::Start(web, store);
}

/// How many of the demo's pictures are stored, told while they come.
class StoredProgress {
 public:
  explicit StoredProgress(Store& store) : store_(store), told_(Count()) {}

  void Look() {
    const uint64_t count = std::max(told_, Count());
    progress_.Advance(count - std::exchange(told_, count));
  }

 private:
  uint64_t Count() const {
    const auto stock = store_.Stock();
    return stock ? stock->count : 0;
  }

  Store& store_;
  uint64_t told_;
  Progress progress_{"pictures stored", 0};
};

}  // namespace

Status RunDemo(const DemoOptions& options, const DemoHooks& hooks) {
  std::filesystem::path model = options.model, images = options.images;
  if (model.empty()) {
    FOGLINE_TRY(model, FindShipped("models/litter.onnx"));
  }
  if (images.empty()) {
    FOGLINE_TRY(images, FindShipped("models/demo"));
  }
  std::string cut = options.cut;
  std::optional<double> may_differ;
  {
    // Looked at before anything starts, so that a bad folder, model or cut is one line and nothing
    // runs.
    if (auto pictures = ListFolder(images, DepthOf(options.recursive)); !pictures) {
      return tl::unexpected(std::move(pictures).error());
    }
    FOGLINE_TRY(const Network network, LoadNetwork(model));
    FOGLINE_TRY(const Cut chosen, cut.empty() ? DefaultCut(network) : FindCut(network.model, cut));
    cut = chosen.index < 0 ? chosen.name : std::to_string(chosen.index);
    may_differ = LeastPromise(network, chosen);
  }
  const TempDir dir;
  std::unique_ptr<LocalBroker> own_broker;
  std::string broker = options.broker;
  if (broker.empty()) {
    FOGLINE_TRY(own_broker, LocalBroker::Start());
    broker = own_broker->url();
  }
  std::unique_ptr<LocalPostgres> own_postgres;
  std::string store_url = options.store;
  if (store_url.empty()) store_url = "sqlite:" + (dir.path() / "demo.db").string();
  if (store_url == kOwnPostgres) {
    FOGLINE_TRY(own_postgres, LocalPostgres::Start("fsync = on"));
    store_url = own_postgres->url();
  }
  FOGLINE_TRY(const auto store, OpenStore(store_url));
  CloudMetrics metrics;
  FOGLINE_TRY(const auto web, StartMap(options, model, metrics, *store));
  hooks.map_is_up(web->url());

  CloudOptions cloud_options;
  cloud_options.thumbnail = options.thumbnail;
  cloud_options.workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  FOGLINE_TRY(cloud_options.link.broker, ParseBroker(broker));
  cloud_options.models.folder = Absolute(model).parent_path();
  FOGLINE_TRY(const auto cloud, Cloud::Start(cloud_options, *store, [&] { web->Notify(); }));
  const auto shown = metrics.Show(*cloud);

  std::vector<Process> others;
  for (int i = 1; i < options.clouds; ++i) {
    FOGLINE_TRY(Process other, StartWorker(broker, cloud_options.models.folder, store_url,
                                           dir.path() / fmt::format("cloud-{}.log", i)));
    others.push_back(std::move(other));
  }
  FOGLINE_TRY(std::vector<Edge> edges,
              StartEdges(options, broker, model, images, dir.path(), Ways(cut, may_differ)));
  std::vector<DemoMechanism> results;
  auto progress = std::make_unique<StoredProgress>(*store);
  for (Edge& edge : edges) {
    // Children have their own process group: a Ctrl-C is ours to hand on.
    while (edge.process.Running() && !WaitForStop(std::chrono::milliseconds(50))) {
      progress->Look();
    }
    if (StopRequested()) edge.process.Signal(SIGTERM);
    FOGLINE_TRY(DemoMechanism result, Collect(edge, *store));
    results.push_back(std::move(result));
  }
  progress.reset();
  hooks.pictures_are_through(results);
  while (!options.once && !WaitForStop(std::chrono::hours(1))) {
  }
  for (Process& other : others) other.Stop();
  cloud->Stop();
  web->Stop();
  return {};
}

}  // namespace fogline
