#include "plan/runnable.h"

#include <fmt/format.h>

#include "codec/codec.h"

namespace fogline {
namespace {

/// As the card takes it: one picture of three channels, by itself.
bool IsPicture(const Port& port) {
  const Shape& s = port.shape;
  return (port.dtype == DType::kF32 || port.dtype == DType::kU8) && s.rank() == 4 && s[0] == 1 &&
         (s[1] == 3 || s[3] == 3);
}

bool CodesPictures(const std::string& codec) {
  const auto name = ParseCodec(codec);
  return name && (name->kind == CodecKind::kJpeg || name->kind == CodecKind::kWebp);
}

}  // namespace

std::string WhyNotRunnable(const Model& model, const Cut& cut, const PayloadOption& payload,
                           Side deliver) {
  if (model.inputs().size() != 1) {
    return fmt::format("the edge feeds a network one picture, this one has {} inputs",
                       model.inputs().size());
  }
  if (!IsPicture(model.inputs().front())) {
    const Port& input = model.inputs().front();
    return fmt::format("the edge feeds a network pictures of three channels, '{}' is {} {}",
                       input.name, DTypeName(input.dtype), input.shape.ToString());
  }
  if (cut.is_edge_only()) return {};
  if (deliver == Side::kEdge) return "the cloud keeps its results, none is sent back yet";
  if (cut.is_cloud_only()) {
    if (CodesPictures(payload.codec) || payload.codec == "json") return {};
    return fmt::format("cloud-only sends the picture as jpeg, webp or json, not as {}",
                       payload.codec);
  }
  if (cut.tensors.size() != 1) {
    return fmt::format("{} tensors cross here, a frame holds one", cut.tensors.size());
  }
  if (cut.data_dependent) {
    return fmt::format("the shape of '{}' depends on the picture", cut.tensors.front().name);
  }
  return {};
}

}  // namespace fogline
