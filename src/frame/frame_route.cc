#include "frame/frame_route.h"

namespace fogline {

Result<Route> RouteOf(const Frame& frame) {
  Route route;
  route.model.id = frame.model;
  route.cut.id = frame.cut;
  if (frame.gate) route.gate = ExitGate{{{}, frame.gate->at}, frame.gate->threshold};
  for (const Payload& payload : frame.payloads) {
    if (payload.role != Role::kActivation) continue;
    FOGLINE_TRY(const CodecName codec, CodecFromWire(payload.codec, payload.parameter));
    route.codecs.push_back(codec);
  }
  return route;
}

std::vector<uint32_t> TensorsOf(const Frame& frame) {
  std::vector<uint32_t> tensors;
  for (const Payload& payload : frame.payloads) {
    if (payload.role == Role::kActivation) tensors.push_back(payload.tensor);
  }
  return tensors;
}

}  // namespace fogline
