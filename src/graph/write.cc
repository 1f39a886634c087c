// Serialising a model whose weights are views into files: each is copied once, into its place.
#include "graph/model_data.h"

namespace fogline {
namespace {
constexpr size_t kLargest = (size_t{1} << 31) - 1;  // protobuf's limit
}  // namespace

Result<std::string> WriteModel(const ModelData& data, const onnx::ModelProto& model,
                               const std::vector<int>& initializers) {
  onnx::ModelProto outer = model;
  const onnx::GraphProto graph = std::move(*outer.mutable_graph());
  outer.clear_graph();

  const auto& all = data.proto.graph().initializer();
  size_t graph_bytes = graph.ByteSizeLong();
  std::vector<size_t> sizes;
  for (const int i : initializers) {
    const size_t size = all.Get(i).ByteSizeLong() + data.weights[i].size();
    sizes.push_back(size);
    graph_bytes += RecordHeader(kGraphInitializer, size).size() + size;
  }
  const std::string header = RecordHeader(kModelGraph, graph_bytes);
  const size_t total = outer.ByteSizeLong() + header.size() + graph_bytes;
  if (total > kLargest) {
    return Fail(ErrorCode::kExhausted, data.where,
                "a half would take {} bytes, past the 2 GB of one ONNX file", total);
  }
  std::string out;
  out.reserve(total);
  outer.AppendToString(&out);
  out += header;
  graph.AppendToString(&out);
  for (size_t k = 0; k < initializers.size(); ++k) {
    out += RecordHeader(kGraphInitializer, sizes[k]);
    all.Get(initializers[k]).AppendToString(&out);
    for (const std::string_view record : data.weights[initializers[k]].records) out += record;
  }
  return out;
}

}  // namespace fogline
