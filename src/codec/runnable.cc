#include "codec/runnable.h"

#include <fmt/format.h>

#include "codec/route.h"

namespace fogline {

namespace {

std::string NamesOf(const Cut& cut) {
  std::string names;
  for (const Port& port : cut.tensors) names += (names.empty() ? "" : ",") + port.name;
  return names;
}

}  // namespace

bool CodesPictures(const CodecName& codec) {
  return codec.kind == CodecKind::kJpeg || codec.kind == CodecKind::kWebp;
}

std::optional<Obstacle> WhyNotRun(const ModelContract& contract, const Cut& cut,
                                  const std::optional<CodecName>& codec) {
  if (!contract.takes_pictures())
    return Obstacle{Obstacle::At::kModel, contract.no_picture->message};
  if (cut.is_edge_only()) return {};
  if (cut.is_cloud_only()) {
    if (!codec || CodesPictures(*codec) || codec->kind == CodecKind::kJson) return {};
    return Obstacle{Obstacle::At::kCodec,
                    fmt::format("cloud-only sends the picture as jpeg, webp or json, not as {}",
                                ToString(*codec))};
  }
  if (cut.tensors.size() > Route::kMostTensors) {
    return Obstacle{
        Obstacle::At::kCut,
        fmt::format("{} tensors cross here, a frame holds {}: choose a cut where fewer do",
                    cut.tensors.size(), Route::kMostTensors)};
  }
  if (cut.data_dependent) {
    return Obstacle{Obstacle::At::kCut,
                    fmt::format("the shape of {}'{}' depends on the picture",
                                cut.tensors.size() > 1 ? "one of " : "", NamesOf(cut))};
  }
  if (codec && CodesPictures(*codec)) {
    return Obstacle{Obstacle::At::kCodec,
                    fmt::format("a split sends a tensor (q4, f16, f32 …), and {} codes pictures",
                                ToString(*codec))};
  }
  return {};
}

}  // namespace fogline
