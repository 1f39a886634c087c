#include "lab/site.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "lab/cpu_limit.h"
#include "lab/kernel_link.h"
#include "lab/relay.h"
#include "lab/run_log.h"
#include "servers/local_broker.h"
#include "store/store.h"

namespace fogline {
namespace {

using Words = std::vector<std::string>;

LinkShape ShapeOf(const SuiteLink& link) {
  LinkShape shape;
  shape.up_mbps = link.profile.up.value();
  shape.down_mbps = link.profile.down.value();
  shape.delay_ms = link.profile.rtt.value() / 2;
  shape.jitter_ms = link.jitter_ms;
  shape.loss = link.profile.loss;
  shape.up_trace = link.profile.trace;
  return shape;
}

class SiteImpl final : public LabSite {
 public:
  SiteImpl(const Suite& suite, const SuiteMachine& device, std::filesystem::path model,
           std::filesystem::path log)
      : pictures_(suite.pictures),
        device_(device),
        model_(std::move(model)),
        log_(std::move(log)) {}

  Status Start(const SuiteMachine& cloud, const SuiteLink& link) {
    FOGLINE_TRY(broker_, LocalBroker::Start());
    FOGLINE_CHECK(StartLink(link));
    if (device_.evidence == Evidence::kLimited) {
      FOGLINE_TRY(limit_, CpuLimit::Make(device_.cores));
    }
    store_ = "sqlite:" + (dir_.path() / "lab.db").string();
    Words command{FoglinePath().string(),
                  "cloud",
                  "--models",
                  model_.parent_path().string(),
                  "--broker",
                  broker_->url(),
                  "--store",
                  store_,
                  "--workers",
                  "1"};
    if (cloud.evidence == Evidence::kPaced) {
      command.insert(command.end(), {"--pace", cloud.machine});
    }
    FOGLINE_TRY(cloud_,
                Process::Start({.command = command, .capture_stdout = false, .stderr_to = log_}));
    return {};
  }

  const std::string& medium() const override { return medium_; }
  const std::string& fallback() const override { return fallback_; }

  Result<SiteRun> Run(const EdgeRun& run) override {
    Words command;
    if (kernel_) command = kernel_->enter();
    if (limit_) {
      const Words enter = limit_->enter();
      command.insert(command.end(), enter.begin(), enter.end());
    }
    command.insert(command.end(), {FoglinePath().string(),
                                   "edge",
                                   "--json",
                                   "--broker",
                                   broker_url_,
                                   "--model",
                                   model_.string(),
                                   "--source",
                                   pictures_.string(),
                                   "--device",
                                   run.device,
                                   "--cut",
                                   run.cut,
                                   "--window",
                                   "1",
                                   "--report",
                                   "all",
                                   "--loop",
                                   "--count",
                                   std::to_string(run.count),
                                   "--drain",
                                   "120"});
    if (device_.evidence == Evidence::kPaced) {
      command.insert(command.end(), {"--pace", device_.machine});
    }
    if (run.rate > 0) command.insert(command.end(), {"--rate", fmt::format("{:g}", run.rate)});
    if (run.wire == WireKind::kJson) {
      command.insert(command.end(), {"--wire", "json"});
    } else if (!run.codec.empty()) {
      command.insert(command.end(), {"--codec", run.codec});
    }
    FOGLINE_TRY(Process edge,
                Process::Start({.command = command, .capture_stdout = true, .stderr_to = log_}));
    // Children have their own process group: a Ctrl-C is ours to hand on.
    while (edge.Running() && !WaitForStop(std::chrono::milliseconds(5))) {
    }
    if (StopRequested()) {
      edge.Stop();
      return Fail(ErrorCode::kCancelled, run.device, "stopped");
    }
    SiteRun out;
    FOGLINE_TRY(out.report, edge.ReadStdout());
    if (const int status = edge.Wait(); status != 0) {
      return Fail(ErrorCode::kInternal, run.device, "its edge ended with status {}: {}", status,
                  LastComplaint(log_));
    }
    FOGLINE_TRY(out.frames, Frames(run.device));
    return out;
  }

 private:
  Status StartLink(const SuiteLink& link) {
    LinkShape shape = ShapeOf(link);
    std::string address = "127.0.0.1";
    medium_ = "user space";
    if (link.medium != Medium::kUser) {
      auto kernel = KernelLink::Make(shape);
      if (kernel) {
        kernel_ = *std::move(kernel);
        address = kernel_->address();
        shape.up_mbps = shape.down_mbps = 0;
        medium_ = "kernel: tbf; delay in user space";
        if (kernel_->has_netem()) {
          shape = {};
          medium_ = "kernel: tbf, netem";
        }
      } else if (link.medium == Medium::kKernel) {
        return Forward(std::move(kernel));
      } else {
        fallback_ = kernel.error().ToString();
      }
    }
    // Even where the kernel does it all, the relay is there: it counts, and the broker stays on
    // loopback.
    FOGLINE_TRY(relay_, Relay::Start(address, broker_->port(), shape));
    broker_url_ = fmt::format("mqtt://{}:{}", address, relay_->port());
    return {};
  }

  Result<std::vector<StageTimes>> Frames(const std::string& device) const {
    FOGLINE_TRY(const auto store, OpenStore(store_));
    Filter filter;
    filter.devices = {device};
    FOGLINE_TRY(const auto rows, store->Query(filter, Order::kOldestFirst, 100000));
    std::vector<StageTimes> frames;
    for (const StoredDetection& row : rows) frames.push_back(row.detection.stages);
    return frames;
  }

  const std::filesystem::path pictures_;
  const SuiteMachine device_;
  const std::filesystem::path model_, log_;
  const TempDir dir_;
  std::string store_, broker_url_, medium_, fallback_;
  std::unique_ptr<LocalBroker> broker_;
  std::unique_ptr<KernelLink> kernel_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<CpuLimit> limit_;
  Process cloud_ = Process::None();
};

}  // namespace

Result<std::unique_ptr<LabSite>> LabSite::Open(const Suite& suite, const SuiteMachine& device,
                                               const SuiteMachine& cloud, const SuiteLink& link,
                                               const std::filesystem::path& model,
                                               const std::filesystem::path& log) {
  auto site = std::make_unique<SiteImpl>(suite, device, model, log);
  FOGLINE_CHECK(site->Start(cloud, link));
  return site;
}

}  // namespace fogline
