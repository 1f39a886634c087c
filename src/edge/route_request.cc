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

}  // namespace

Result<Network> OpenNetwork(const RouteRequest& request) {
  if (!request.route) return LoadNetwork(request.model, request.side);
  const Route& route = *request.route;
  const std::string flag = "--route " + ToString(route);
  const std::string stem = request.model.stem().string();
  if (route.gate) return Fail(ErrorCode::kUnsupported, flag, "no edge runs exit gates yet");
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
  if (!request.route) {
    if (request.side > 0) {
      FOGLINE_CHECK(CheckSize(fmt::format("--size {}", request.side), network, asked.cut));
    }
    return asked;
  }
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

}  // namespace fogline
