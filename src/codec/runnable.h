// Which cuts and codecs `fogline edge` and `fogline cloud` run today, of all that can be planned:
// what both start by, and what a plan is held against.
#pragma once

#include <optional>
#include <string>

#include "codec/codec.h"
#include "graph/cut.h"
#include "vision/contract.h"

namespace fogline {

/// What stands in the way of running a model at a cut.
struct Obstacle {
  enum class At { kModel, kCut, kCodec } at = At::kModel;
  std::string why;  // ends a sentence: "80 tensors cross here, a frame holds 64"
};

/// Why edge and cloud cannot run this cut with this codec as it stands; nothing when they can. No
/// codec: whether they run the cut with any; edge-only has none.
std::optional<Obstacle> WhyNotRun(const ModelContract& contract, const Cut& cut,
                                  const std::optional<CodecName>& codec);

/// Whether a codec is of pictures (JPEG, WebP), not of tensors.
bool CodesPictures(const CodecName& codec);

}  // namespace fogline
