#include "graph/outside_weights.h"

#include <onnx/onnx_pb.h>

#include <charconv>

namespace fogline {

Result<std::vector<OutsideWeight>> ListOutsideWeights(std::span<const std::byte> model,
                                                      const std::string& where) {
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size()))) {
    return Fail(ErrorCode::kInvalid, where, "is no ONNX model");
  }
  std::vector<OutsideWeight> weights;
  for (const onnx::TensorProto& tensor : proto.graph().initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    OutsideWeight& weight = weights.emplace_back();
    weight.name = tensor.name();
    weight.dtype = static_cast<DType>(tensor.data_type());
    weight.dims.assign(tensor.dims().begin(), tensor.dims().end());
    for (const auto& entry : tensor.external_data()) {
      uint64_t* const into = entry.key() == "offset"   ? &weight.offset
                             : entry.key() == "length" ? &weight.bytes
                                                       : nullptr;
      if (into == nullptr) continue;
      const std::string& text = entry.value();
      std::from_chars(text.data(), text.data() + text.size(), *into);
    }
  }
  return weights;
}

}  // namespace fogline
