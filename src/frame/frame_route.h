// What a frame says of its way here.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/route.h"
#include "frame/frame.h"

namespace fogline {

/// The route of a frame that ParseFrame took, by ids: a frame has no names, and no size. kInvalid
/// where the tensors that cross name no codec.
Result<Route> RouteOf(const Frame& frame);

/// The tensors that it holds, by TensorId: its activations in their order.
std::vector<uint32_t> TensorsOf(const Frame& frame);

/// What the halves of its network are found by.
inline HalvesKey HalvesOf(const Frame& frame) { return {frame.model, frame.cut}; }

/// What a tensor of it is decoded by.
inline RouteKey KeyOf(const Frame& frame, uint32_t tensor, const CodecName& codec) {
  return KeyOf(HalvesOf(frame), frame.bundle, tensor, codec);
}

}  // namespace fogline
