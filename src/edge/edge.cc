#include "edge/edge.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/certificates.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/url.h"
#include "edge/policy_routes.h"
#include "frame/frame.h"

namespace fogline {
namespace {

Result<std::unique_ptr<Locator>> MakeLocator(const EdgeOptions& options) {
  const int given = !options.at.empty() + !options.gpx.empty() + !options.gpsd.empty();
  if (given > 1) return Fail(ErrorCode::kUsage, "--at, --gpx, --gpsd", "give one of them at most");
  if (!options.at.empty()) return FixedLocator(options.at);
  if (!options.gpx.empty()) return GpxLocator(options.gpx);
  if (!options.gpsd.empty()) return GpsdLocator(options.gpsd);
  return nullptr;
}

/// Rules of which one takes the ground from under another.
Status CheckRules(const EdgeOptions& options) {
  const DeviceOptions& device = options.device;
  if (device.json && device.thumbnail > 0) {
    return Fail(ErrorCode::kUsage, "--thumbnail", "does not travel with --wire json");
  }
  if (device.json && device.changes.threshold > 0) {
    return Fail(ErrorCode::kUsage, fmt::format("--change-threshold {}", device.changes.threshold),
                "does not travel with --wire json");
  }
  const bool spool = !device.sender.spool.folder.empty();
  if (options.fallback > Nanos(0) && !spool) {
    return Fail(ErrorCode::kUsage, "--fallback", "needs --spool DIR, where the results wait");
  }
  if (!options.latest) {
    if (device.sender.deadline == Nanos(0)) return {};
    return Fail(ErrorCode::kUsage, "--deadline", "goes with --policy latest");
  }
  if (spool) {
    return Fail(ErrorCode::kUsage, "--policy latest",
                "gives frames up and --spool keeps them; use one of the two");
  }
  for (const EdgeSource& source : options.sources) {
    std::error_code unknown;
    if (device.rate <= 0 && std::filesystem::is_directory(source.source, unknown)) {
      return Fail(ErrorCode::kUsage, "--policy latest",
                  "needs --rate: a folder has no pace of its own");
    }
    if (std::filesystem::is_regular_file(source.source, unknown)) {
      return Fail(ErrorCode::kUsage, "--policy latest",
                  "is for cameras and streams: of {} every picture is wanted", source.source);
    }
  }
  return {};
}

/// Opens what pictures may go, and says by which rules.
Result<SteeringRules> OpenRoutes(const EdgeOptions& options, RoutePool& pool) {
  SteeringRules rules;
  rules.latest = options.latest;
  rules.deadline = options.device.sender.deadline;
  if (options.automatic) {
    FOGLINE_TRY(rules.ways, OpenPolicy(options.policy, options.pace, options.request, pool));
    const bool gated = std::ranges::any_of(rules.ways, [&](const PolicyWay& way) {
      return pool.at(way.route).route().gate.has_value();
    });
    if (options.request.audit && !gated && options.device.changes.threshold == 0) {
      return Fail(ErrorCode::kUsage, fmt::format("--audit {}", *options.request.audit),
                  "no route of the policy has an early exit: make it with 'fogline plan "
                  "--max-disagreement'");
    }
    const auto smallest = std::ranges::min_element(
        rules.ways, {}, [](const PolicyWay& way) { return way.price.bytes; });
    rules.usual = smallest->route;
  } else {
    FOGLINE_TRY(const MechanismOptions asked, Asked(options.request, pool.network()));
    FOGLINE_TRY(rules.usual, pool.Open(asked));
  }
  if (options.fallback == Nanos(0)) return rules;
  if (!options.automatic && pool.at(rules.usual).cut().is_edge_only()) {
    return Fail(ErrorCode::kUsage, "--fallback", "edge-only runs the whole network here already");
  }
  MechanismOptions whole;
  whole.threads = options.request.mechanism.threads;
  whole.json = options.request.mechanism.json;
  FOGLINE_TRY(rules.local, pool.Open(whole));
  rules.fallback = options.fallback;
  return rules;
}

/// A text in which "{device}" stands for the name: certificates and users are each device's own,
/// since a broker lets it write below its own name alone.
std::string For(const std::string& device, std::string text) {
  constexpr std::string_view kDevice = "{device}";
  for (size_t at = 0; (at = text.find(kDevice, at)) != std::string::npos; at += device.size()) {
    text.replace(at, kDevice.size(), device);
  }
  return text;
}

/// Calls a function every few seconds until it is gone, and once more then.
class Watcher {
 public:
  static constexpr std::chrono::seconds kEvery{5};

  explicit Watcher(std::function<void()> tell) : tell_(std::move(tell)) {
    if (tell_) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

 private:
  void Run(const std::stop_token& stop) {
    std::mutex alone;
    std::unique_lock lock(alone);
    std::condition_variable_any time;
    do {
      tell_();
      time.wait_for(lock, stop, kEvery, [] { return false; });
    } while (!stop.stop_requested());
    tell_();
  }

  const std::function<void()> tell_;
  std::jthread thread_;
};

}  // namespace

Result<std::vector<EdgeSource>> ParseSources(const std::vector<std::string>& texts,
                                             const std::string& device) {
  std::vector<EdgeSource> sources;
  std::set<std::string> names;
  int stdin_taken = 0;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const bool path = texts.size() == 1 && Exists(text);
    const bool named = equals != std::string::npos && IsDeviceName(text.substr(0, equals)) && !path;
    EdgeSource source{device, text, named};
    if (named) {
      source.device = text.substr(0, equals);
      source.source = text.substr(equals + 1);
    }
    const std::string flag = "--source " + WithoutSecrets(text);
    if (source.source.empty()) return Fail(ErrorCode::kUsage, flag, "names no source");
    if (texts.size() > 1 && !named) {
      return Fail(ErrorCode::kUsage, flag,
                  "of several sources each is NAME=SOURCE, its name of letters, digits, '.', '_' "
                  "and '-'");
    }
    if (!names.insert(source.device).second) {
      return Fail(ErrorCode::kUsage, flag, "two sources are called {}", source.device);
    }
    if (source.source == "-" && stdin_taken++ > 0) {
      return Fail(ErrorCode::kUsage, flag, "stdin is one source");
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

Result<std::unique_ptr<Edge>> Edge::Open(const EdgeOptions& options) {
  auto edge = std::unique_ptr<Edge>(new Edge(options));
  FOGLINE_CHECK(edge->OpenDevices());
  return edge;
}

Status Edge::OpenDevices() {
  FOGLINE_CHECK(CheckRules(options_));
  FOGLINE_TRY(locator_, MakeLocator(options_));
  FOGLINE_TRY(Network network, OpenNetwork(options_.request));
  pool_ = std::make_unique<RoutePool>(std::move(network), options_.pace);
  DeviceOptions device = options_.device;
  // Whichever way a picture went, it is reported.
  device.report_all = device.report_all || options_.automatic;
  FOGLINE_TRY(device.steering, OpenRoutes(options_, *pool_));
  if (pool_->at(device.steering.usual).cut().is_edge_only() && !device.report_all &&
      pool_->network().card.positive < 0) {
    LogInfo("the model's card names no positive class: every picture is reported");
  }
  const bool one = options_.sources.size() == 1;
  if (!options_.trace.empty()) {
    FOGLINE_TRY(trace_,
                TraceFile::Create(options_.trace, one ? options_.sources.front().device : "edge"));
  }
  if (!options_.answers.empty()) {
    FOGLINE_TRY(answers_, Answers::Open(options_.answers, *pool_));
  }
  const Device::Shared shared{locator_.get(), trace_.get(), answers_.get()};
  for (const EdgeSource& source : options_.sources) {
    device.source.name = source.source;
    device.sender.device = source.device;
    const LinkOptions& link = options_.device.sender.link;
    device.sender.link.cert_file = For(source.device, link.cert_file);
    device.sender.link.key_file = For(source.device, link.key_file);
    device.sender.link.broker.user = For(source.device, link.broker.user);
    const std::string& certificate = device.sender.link.cert_file;
    const std::string whose = certificate.empty() ? "" : WhoseCertificate(certificate);
    if (!whose.empty() && whose != source.device) {
      LogWarning("--cert {}: is {}'s, and a broker that goes by it lets {} write nothing",
                 certificate, whose, source.device);
    }
    std::filesystem::path& spool = device.sender.spool.folder;
    spool = options_.device.sender.spool.folder;
    if (!spool.empty() && source.named) spool /= source.device;
    devices_.push_back(std::make_unique<Device>(device, *pool_, shared));
  }
  return {};
}

Result<std::vector<EdgeReport>> Edge::Run() {
  std::vector<Status> ends(devices_.size());
  const auto reports = [&] {
    std::vector<EdgeReport> all;
    for (const auto& device : devices_) all.push_back(device->report());
    return all;
  };
  {
    const Watcher watcher(options_.watch == nullptr ? std::function<void()>()
                                                    : [&] { options_.watch(reports()); });
    const auto run = [&](size_t i) {
      ends[i] = devices_[i]->Run();
      if (!ends[i] && devices_.size() > 1) {
        LogError("edge {}: {}", options_.sources[i].device, ends[i].error().ToString());
      }
    };
    std::vector<std::jthread> others;
    for (size_t i = 1; i < devices_.size(); ++i) others.emplace_back(run, i);
    run(0);
  }
  if (devices_.size() == 1) FOGLINE_CHECK(std::move(ends.front()));
  std::vector<EdgeReport> all = reports();
  for (size_t i = 0; i < all.size(); ++i) {
    if (!ends[i]) all[i].failed = std::move(ends[i].error());
  }
  return all;
}

}  // namespace fogline
