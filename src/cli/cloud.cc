// fogline cloud: workers, store and map in one process.
#include "cloud/cloud.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <thread>

#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/process.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/retention_flags.h"
#include "store/keeper.h"
#include "web/cloud_metrics.h"
#include "web/publisher.h"

namespace fogline::cli {
namespace {

/// The cloud's figures and, where a store is kept within limits, its keeper's.
std::function<std::vector<Metric>()> WithKeeper(std::function<std::vector<Metric>()> cloud,
                                                const StoreKeeper* keeper) {
  if (keeper == nullptr) return cloud;
  return [cloud = std::move(cloud), keeper] {
    std::vector<Metric> metrics = cloud();
    metrics.push_back({"fogline_store_forgotten_total", "Detections that this process forgot",
                       Metric::kCounter, static_cast<double>(keeper->rows())});
    metrics.push_back({"fogline_store_forget_failures_total", "Steps of forgetting that failed",
                       Metric::kCounter, static_cast<double>(keeper->failures())});
    return metrics;
  };
}

/// The cloud's figures and those of what it publishes.
std::function<std::vector<Metric>()> WithPublisher(std::function<std::vector<Metric>()> cloud,
                                                   const Publisher* publisher) {
  if (publisher == nullptr) return cloud;
  return [cloud = std::move(cloud), publisher] {
    std::vector<Metric> metrics = cloud();
    for (Metric& metric : publisher->Metrics()) metrics.push_back(std::move(metric));
    return metrics;
  };
}

/// Null where nothing is published once more. Positions leave as the map shows them.
Result<std::unique_ptr<Publisher>> StartPublisher(const std::string& topic, const LinkOptions& link,
                                                  int round, Store& store) {
  if (topic.empty()) return nullptr;
  PublisherOptions options{.link = link, .topic = topic, .privacy = {}};
  options.link.name = "fogline-publisher";
  if (round >= 0) options.privacy.decimals = round;
  return Publisher::Start(options, store);
}

struct CloudArgs {
  Common common;
  LinkFlags link;
  CloudOptions cloud;
  std::string models, trace, raw, hard, publish, cache, store = "sqlite:fogline.db";
  RetentionFlags keep;
  HttpFlags http;
  ProviderFlags provider;
};

Status Run(CloudArgs& args) {
  umask(S_IRWXG | S_IRWXO);  // pictures and positions are nobody else's, whoever starts this
  args.cloud.models.folder = args.models;
  args.cloud.trace = args.trace;
  args.cloud.raw.folder = args.raw;
  args.cloud.hard.folder = args.hard;
  FOGLINE_TRY(args.cloud.link, ToLinkOptions(args.link));
  FOGLINE_TRY(const Retention keep, ToRetention(args.keep));
  FOGLINE_CHECK(Use(args.provider));
  if (!args.cache.empty()) FOGLINE_CHECK(MakeFolders(args.cache));
  FOGLINE_TRY(const auto store, OpenStore(args.store, {.cache = args.cache}));
  std::unique_ptr<StoreKeeper> keeper;
  if (keep.any() || keep.any_of_a_device()) keeper = std::make_unique<StoreKeeper>(*store, keep);
  FOGLINE_TRY(const auto publisher,
              StartPublisher(args.publish, args.cloud.link, args.http.round, *store));
  CloudMetrics metrics;
  FOGLINE_TRY(const auto web,
              StartWeb(args.http, args.models,
                       WithPublisher(WithKeeper(metrics.Ask(), keeper.get()), publisher.get()),
                       metrics.AskState(), *store));
  if (web != nullptr) LogInfo("map at {}", web->url());
  FOGLINE_TRY(const auto cloud, Cloud::Start(args.cloud, *store, [&web, &publisher] {
                if (web != nullptr) web->Notify();
                if (publisher != nullptr) publisher->Notify();
              }));
  const auto shown = metrics.Show(*cloud);
  while (!WaitForStop(std::chrono::hours(1))) {
  }
  cloud->Stop();
  const CloudStats& s = cloud->stats();
  if (args.common.json) {
    Json devices = Json::object();
    for (const auto& [device, unstored] : cloud->unstored()) {
      devices[device] = {{"not_now", unstored.not_now},
                         {"reason", unstored.reason},
                         {"refused", unstored.refused}};
    }
    Json told{{"duplicates", s.duplicates.load()}, {"received", s.received.load()},
              {"refused", s.refused.load()},       {"retried", s.retried.load()},
              {"stored", s.stored.load()},         {"unstored", devices}};
    if (const RawKeeper* raw = cloud->raw()) {
      told["raw"] = {{"kept", raw->kept()}, {"left_out", raw->left_out()}};
    }
    fmt::print("{}\n", Dump(told));
  } else {
    fmt::print("received {}   stored {}   in {} commits   stored before {}   refused {}\n",
               s.received.load(), s.stored.load(), s.commits.load(), s.duplicates.load(),
               s.refused.load());
    if (const RawKeeper* raw = cloud->raw()) {
      fmt::print("raw files kept {}   left out {}\n", raw->kept(), raw->left_out());
    }
  }
  return {};
}

}  // namespace

void AddCloud(CommandLine& line) {
  auto args = std::make_shared<CloudArgs>();
  Command command = line.Add("cloud", "Runs the cloud: frames in, detections stored and shown");
  AddCommon(command, args->common);
  AddLinkFlags(command, args->link);
  args->cloud.workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  command.Add("--models", args->models, "folder of the ONNX files that devices may name")
      .Required();
  AddStoreFlag(command, args->store);
  AddCacheFlag(command, args->cache);
  AddRetentionFlags(command, args->keep);
  command.Add("--keep-raw", args->raw,
              "a folder that keeps outputs which nobody reads, as NumPy files");
  command
      .Add("--keep-raw-limit", args->cloud.raw.limit_bytes, "what that folder may take, e.g. 20GB")
      .Size()
      .ShowDefault("1GiB");
  command.Add(
      "--hard", args->hard,
      "a folder that keeps pictures which a gate was not sure of, or sure of another class, "
      "by the class that the whole network says, for fogline train");
  command.Add("--hard-limit", args->cloud.hard.limit_bytes, "what that folder may take, e.g. 20GB")
      .Size()
      .ShowDefault("1GiB");
  command.Add("--hard-rate", args->cloud.hard.per_hour, "pictures an hour that it gets at most")
      .Within(0, 1e9)
      .ShowDefault();
  command
      .Add("--keep-thumbnails", args->cloud.thumbnail,
           "keep the small pictures that devices send along, up to so many pixels a side (default: "
           "none is kept)")
      .Type("PX")
      .Range(0, 1024);
  command.Add("--publish", args->publish,
              "a topic that every stored detection goes to once more, as JSON, for other programs");
  command.Add("--workers", args->cloud.workers, "threads that run networks (default: one a core)")
      .Range(1, 256);
  command.Add("--pace", args->cloud.pace,
              "be as slow as this machine of the library, for experiments");
  command.Add("--threads", args->cloud.models.threads, "threads of the engine, a worker")
      .Range(1, 256)
      .ShowDefault();
  AddProviderFlags(command, args->provider);
  command
      .Add("--memory", args->cloud.models.memory_bytes,
           "what loaded models and open networks may hold, e.g. 500MB; the one unused for "
           "longest makes room")
      .Size()
      .ShowDefault("1GiB");
  command.Add("--group", args->cloud.group,
              "share group: clouds of one group divide the frames (default: those with one key)");
  command.Add("--queue", args->cloud.queue, "frames waiting for a worker at most")
      .Range(1, 65536)
      .ShowDefault();
  command
      .Add("--max-frame", args->cloud.most_bytes, "largest frame in bytes; refused by its header")
      .Range(1024, 256 << 20)
      .ShowDefault();
  args->cloud.device_rate = 1000;
  command
      .Add("--device-rate", args->cloud.device_rate,
           "frames a second of one device at most; 0 for no limit")
      .RateUpTo(1e6)
      .ShowDefault();
  command.Add("--trace", args->trace, "write a time line of every frame, for ui.perfetto.dev");
  AddHttpFlags(command, args->http);
  command.Example("fogline cloud --models models --store sqlite:fogline.db --http 127.0.0.1:8080",
                  "worker, store and map on one machine");
  SetAction(command, std::shared_ptr<Common>(args, &args->common), [args] { return Run(*args); });
}

}  // namespace fogline::cli
