#include "web/predictor.h"

#include <fmt/format.h>

#include "profile/library.h"

namespace fogline {
namespace {

constexpr size_t kMostPredictions = 1000;

Result<LatencyTerms> Work(const ShelfModel& shelf, const FleetMemory::Way& way,
                          const std::string& edge, const PredictBy& by, bool files) {
  const auto side = files ? LoadSide : LibrarySide;
  FOGLINE_TRY(PlanSide edge_side, side(shelf.network.model, edge, "edge"));
  FOGLINE_TRY(PlanSide cloud_side, side(shelf.network.model, by.cloud, "cloud"));
  FOGLINE_TRY(LinkProfile link,
              files ? FindLink(by.link, "link") : FindLibraryLink(by.link, "link"));
  size_t at = 0;
  while (at < shelf.cuts.size() && shelf.cuts[at].name != way.cut &&
         (shelf.cuts[at].alias.empty() || shelf.cuts[at].alias != way.cut)) {
    ++at;
  }
  if (at == shelf.cuts.size()) {
    return Fail(ErrorCode::kNotFound, "cut", "the model has no cut '{}'", way.cut);
  }
  if (way.codec == "result" && !shelf.cuts[at].is_edge_only()) {
    return Fail(ErrorCode::kNotFound, "cut",
                "pictures leave at '{}', an early exit: what they take is not forecast", way.cut);
  }
  PlanRequest request;
  if (!shelf.cuts[at].is_edge_only())
    request.codecs = way.codec;  // as it runs, not as would be best
  FOGLINE_TRY(
      const Scenario scenario,
      MakeScenario(request, shelf.network, shelf.cuts, shelf.bundle ? &*shelf.bundle : nullptr,
                   std::move(edge_side), std::move(cloud_side), std::move(link)));
  const auto candidates = CandidatesAt(scenario, at);
  if (candidates.empty()) {
    return Fail(ErrorCode::kNotFound, "codec", "nobody calibrated {} at '{}'", way.codec, way.cut);
  }
  return candidates.front().latency;
}

}  // namespace

Result<LatencyTerms> Predictor::Predict(const FleetMemory::Way& way, const PredictBy& by,
                                        bool files, size_t& fresh) {
  const auto own = by.devices.find(way.device);
  const std::string& edge = own == by.devices.end() ? by.edge : own->second;
  const Key key{way.model, way.cut, way.codec, edge, by.cloud, by.link, files};
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  auto model = shelf_.FindByHash(way.model);
  if (!model) return Forward(std::move(model));  // may come to be known
  if (fresh == 0) return Fail(ErrorCode::kUnavailable, "", "not worked out yet; ask again");
  --fresh;
  if (known_.size() >= kMostPredictions) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(key);
  return known_.emplace(key, Work(**model, way, edge, by, files)).first->second;
}

void PutPrediction(JsonWriter& json, const FleetMemory::Way& way, const std::string& edge,
                   const Result<LatencyTerms>& predicted) {
  json.Object([&] {
    json.Put("device", way.device);
    json.Put("edge", edge);
    if (!predicted) return json.Put("unknown", predicted.error().message);
    const LatencyTerms& l = *predicted;
    json.Put("total_ms", Rounded{l.total().value(), 4});
    json.Object("stages_ms", [&] {
      json.Put("prefix", Rounded{l.edge.value(), 4});
      json.Put("encode", Rounded{l.encode.value(), 4});
      json.Put("network", Rounded{l.uplink.value(), 4});
      json.Put("decode", Rounded{l.decode.value(), 4});
      json.Put("suffix", Rounded{l.cloud.value(), 4});
    });
  });
}

}  // namespace fogline
