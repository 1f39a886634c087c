#include "edge/route_request.h"

#include <algorithm>

#include "base/text.h"
#include "frame/frame.h"

namespace fogline {
namespace {

/// The cloud opens a network at its card's size.
Status CheckSize(const std::string& flag, const Network& network, const std::string& cut) {
  FOGLINE_TRY(const ModelCard there, PeekCard(network.path));
  if (there.width == network.card.width && there.height == network.card.height) return {};
  FOGLINE_TRY(const Cut found, FindCut(network.model, cut));
  if (found.is_edge_only()) return {};
  return Fail(ErrorCode::kUsage, flag,
              "goes with edge-only: the cloud runs its part at {}x{}, the size of {}'s card, and "
              "would refuse every frame",
              there.width, there.height, network.path.filename().string());
}

/// How sure pictures leave early, if they do.
Result<std::optional<GateRequest>> AskedGate(const RouteRequest& request, const Network& network,
                                             const std::string& cut) {
  const auto& most = request.most_disagreement;
  const std::string flag = most            ? fmt::format("--max-disagreement {}", *most)
                           : request.route ? "--route " + ToString(*request.route)
                                           : std::string();
  const bool gate = request.route && request.route->gate;
  if (gate && most) return Fail(ErrorCode::kUsage, flag, "stands in place of a gate in --route");
  if (!gate && !most) {
    if (!request.audit) return std::nullopt;
    return Fail(ErrorCode::kUsage, fmt::format("--audit {}", *request.audit),
                "goes with --max-disagreement, or with a gate in --route");
  }
  FOGLINE_TRY(const Cut found, FindCut(network.model, cut));
  const uint32_t usual = found.is_edge_only() ? 0 : RouteRequest::kUsualAudit;
  return GateRequest{gate ? request.route->gate : std::nullopt, most, request.audit.value_or(usual),
                     flag};
}

/// What a route asks of the mechanism, but for its gate.
Result<MechanismOptions> AskedByRoute(const RouteRequest& request, const Network& network) {
  MechanismOptions asked = request.mechanism;
  const Route& route = *request.route;
  const std::string flag = "--route " + ToString(route);
  asked.cut = route.cut.name;
  if (route.cut.id != 0) {
    FOGLINE_TRY(const auto cuts, ListCuts(network.model));
    const auto cut = std::ranges::find(cuts, route.cut.id, &Cut::id);
    if (cut == cuts.end())
      return Fail(ErrorCode::kNotFound, flag, "has a cut that the model lacks");
    if (asked.cut.empty()) asked.cut = std::to_string(cut->index);
  }
  FOGLINE_TRY(const Cut cut, FindCut(network.model, asked.cut));
  if (route.cut.id != 0 && cut.id != route.cut.id) {
    return Fail(ErrorCode::kConflict, flag, "its cut is +{:016x} here", cut.id);
  }
  if (cut.is_edge_only() != route.codecs.empty()) {
    return Fail(ErrorCode::kUsage, flag, "{}",
                cut.is_edge_only() ? "edge-only sends a result: /result"
                                   : "a result is what edge-only sends: name a codec");
  }
  if (!route.codecs.empty()) FOGLINE_CHECK(OneForEach(cut, route.codecs, flag));
  asked.codec = ToString(route.codecs);
  if (asked.json && !cut.is_edge_only() && asked.codec != "json") {
    return Fail(ErrorCode::kUsage, flag, "--wire json sends tensors as /json");
  }
  if (route.width > 0) FOGLINE_CHECK(CheckSize(flag, network, asked.cut));
  return asked;
}

}  // namespace

Result<Network> OpenNetwork(const RouteRequest& request) {
  if (!request.route) return LoadNetwork(request.model, request.side);
  const Route& route = *request.route;
  const std::string flag = "--route " + ToString(route);
  const std::string stem = request.model.stem().string();
  if (!route.model.name.empty() && route.model.name != stem) {
    return Fail(ErrorCode::kUsage, flag, "is a route of {}, and --model is {}",
                Printable(route.model.name), stem);
  }
  const bool square = route.width == route.height;
  FOGLINE_TRY(Network network, LoadNetwork(request.model, square ? route.width : 0));
  const uint64_t id = ShortId(network.model.hash());
  if (route.model.id != 0 && route.model.id != id) {
    return Fail(ErrorCode::kConflict, flag, "{} is +{:016x}", request.model.string(), id);
  }
  const ModelCard& card = network.card;
  if (!square && (card.width != route.width || card.height != route.height)) {
    return Fail(ErrorCode::kUsage, flag,
                "only the card makes a picture that is not square, here {}x{}", card.width,
                card.height);
  }
  return network;
}

Result<MechanismOptions> Asked(const RouteRequest& request, const Network& network) {
  MechanismOptions asked = request.mechanism;
  if (request.route) {
    FOGLINE_TRY(asked, AskedByRoute(request, network));
  } else if (request.side > 0) {
    FOGLINE_CHECK(CheckSize(fmt::format("--size {}", request.side), network, asked.cut));
  }
  FOGLINE_TRY(asked.gate, AskedGate(request, network, asked.cut));
  return asked;
}

}  // namespace fogline
