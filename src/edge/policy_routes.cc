#include "edge/policy_routes.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/paths.h"
#include "plan/policy.h"

namespace fogline {
namespace {

constexpr const char* kAnew = "make one with 'fogline plan --policy-file'";

/// Figures of another board are none of this one's.
Status CheckDevice(const Policy& policy, const std::string& where, const std::string& pace) {
  if (!pace.empty()) {
    if (policy.device == pace) return {};
    return Fail(ErrorCode::kConflict, where, "is for {}, and --pace is {}: {}", policy.device, pace,
                kAnew);
  }
  const std::string here = CpuName();
  if (policy.processor.empty() || here.empty() || policy.processor == here) return {};
  return Fail(ErrorCode::kConflict, where, "is for {} ({}), this is {}: {}", policy.device,
              policy.processor, here, kAnew);
}

Status CheckContent(const Policy& policy, const std::string& where, const Network& network,
                    const std::filesystem::path& bundle) {
  const std::string model = ToHex(network.model.hash());
  if (policy.model != model) {
    return Fail(ErrorCode::kConflict, where, "is for model {}, {} is {}: {}",
                policy.model.substr(0, 12), network.path.string(), model.substr(0, 12), kAnew);
  }
  FOGLINE_TRY(const auto found, FindBundle(network, bundle));
  const std::string mine = found ? ToHex(found->hash()) : std::string();
  if (policy.bundle == mine) return {};
  const auto name = [](const std::string& hash) {
    return hash.empty() ? std::string("without a calibration")
                        : "with calibration " + hash.substr(0, 12);
  };
  return Fail(ErrorCode::kConflict, where, "was made {}, this device runs {}: {}",
              name(policy.bundle), name(mine), kAnew);
}

PricedRoute PriceOf(const PolicyRoute& route) {
  PricedRoute price;
  price.edge_ms = route.edge_ms;
  price.bytes = route.bytes;
  price.cloud_ms = route.cloud_ms;
  price.sure_share = route.sure_share;
  if (route.least_mbps) price.most_ms_per_byte = MsPerByteAt(std::max(*route.least_mbps, 1e-9));
  if (route.most_load) price.most_stretch = 1 / std::max(1 - *route.most_load, 1e-9);
  return price;
}

}  // namespace

Result<std::vector<PolicyWay>> OpenPolicy(std::filesystem::path file, const std::string& pace,
                                          const RouteRequest& request, RoutePool& pool) {
  const bool named = !file.empty();
  if (!named) file = std::filesystem::path(request.model).replace_extension(".policy");
  if (!named && !Exists(file)) {
    return Fail(ErrorCode::kNotFound, "--mechanism auto",
                "needs a policy, and there is neither --policy-file nor {}: {}", file.string(),
                kAnew);
  }
  FOGLINE_TRY(const std::string text, ReadTextFile(file));
  FOGLINE_TRY(const Policy policy, Policy::Parse(text, file.string()));
  FOGLINE_CHECK(CheckDevice(policy, file.string(), pace));
  FOGLINE_CHECK(CheckContent(policy, file.string(), pool.network(), request.mechanism.bundle));
  std::vector<PolicyWay> ways;
  for (const PolicyRoute& route : policy.routes) {
    RouteRequest one = request;
    one.route = route.route;
    // Where nothing leaves early, or no cloud could go on, there is nothing to audit.
    if (!route.route.gate || route.route.codecs.empty()) one.audit.reset();
    auto asked = Asked(one, pool.network());
    auto opened = asked ? pool.Open(*asked) : Forward(std::move(asked));
    if (!opened) {
      LogWarning("{}: left out {}: {}", file.string(), ToString(route.route),
                 opened.error().ToString());
      continue;
    }
    if (std::ranges::find(ways, *opened, &PolicyWay::route) != ways.end()) continue;
    ways.push_back({*opened, PriceOf(route)});
  }
  if (ways.empty()) {
    return Fail(ErrorCode::kConflict, file.string(), "has no route that this device runs: {}",
                kAnew);
  }
  return ways;
}

}  // namespace fogline
