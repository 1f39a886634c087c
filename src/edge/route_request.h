// What an edge is asked to run, before it is known whether it can.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "codec/route.h"
#include "edge/mechanism.h"
#include "vision/network.h"

namespace fogline {

struct RouteRequest {
  std::filesystem::path model;
  int side = 0;  // input size in pixels, 0: as the card says
  MechanismOptions mechanism;
  std::optional<Route> route;  // in place of side and of the mechanism's cut and codec
  /// Sure pictures leave early, as long as no more than this share gets another class.
  std::optional<double> most_disagreement;
  /// One in so many sure pictures goes on all the same; nothing: kUsualAudit where the cloud runs
  /// the rest of the network.
  std::optional<uint32_t> audit;
  static constexpr uint32_t kUsualAudit = 50;
};

/// The network, at the size that is asked for. kUsage and kConflict for the route of another one.
Result<Network> OpenNetwork(const RouteRequest& request);

/// What is asked of the mechanism. kUsage where the cloud could not go on with it, since it opens
/// networks at their card's size.
Result<MechanismOptions> Asked(const RouteRequest& request, const Network& network);

}  // namespace fogline
