// What constants are: types, how many numbers they hold and how many bytes those take as stored.
#include <algorithm>
#include <array>

#include "graph/model_data.h"

namespace fogline {
namespace {

class ConstantFiller {
 public:
  ConstantFiller(ModelData& data, std::map<std::string, TensorType>& known)
      : data_(data), known_(known) {}

  void Fill() {
    const auto& graph = data_.proto.graph();
    for (Constant& constant : data_.read_constants) {
      Port& port = constant.port;
      const ConstantSource& source = data_.constants.at(port.name);
      if (source.node >= 0) {
        const TensorType& type = known_[port.name];
        port.dtype = type.dtype;
        port.shape = type.shape;
        continue;
      }
      const bool sparse = source.sparse >= 0;
      const auto& values = sparse ? graph.sparse_initializer(source.sparse).values()
                                  : graph.initializer(source.initializer);
      const auto& dims = sparse ? graph.sparse_initializer(source.sparse).dims() : values.dims();
      port.dtype = static_cast<DType>(values.data_type());
      port.shape = Shape(std::span<const int64_t>(dims.data(), dims.size()));
    }
    for (size_t i = 0; i < data_.nodes.size(); ++i) {
      for (const int c : data_.node_constants[i]) {
        Constant& constant = data_.read_constants[c];
        const Port& port = constant.port;
        const bool setting = data_.nodes[i].op == "Clip" || port.dtype == DType::kI64 ||
                             port.dtype == DType::kBool || port.dtype == DType::kString ||
                             port.shape.empty();
        if (setting) continue;
        if (constant.params == 0) {
          constant.params = port.shape.Elements().value_or(0);
          constant.bytes = StoredBytes(port.name);
          data_.params += constant.params;
          data_.weight_bytes += constant.bytes;
        }
        data_.nodes[i].params += constant.params;
        data_.nodes[i].weight_bytes += constant.bytes;
      }
    }
  }

 private:
  /// Bytes of a constant as an engine holds it: 8-bit weights stay so behind DequantizeLinear.
  int64_t StoredBytes(const std::string& name) {
    static constexpr std::array kViews = {"DequantizeLinear", "Identity",  "Reshape", "Transpose",
                                          "Squeeze",          "Unsqueeze", "Flatten"};
    const auto& graph = data_.proto.graph();
    std::string at = name;
    // No constant is made of itself: the walk ends.
    while (data_.constants.contains(at) && data_.constants.at(at).node >= 0) {
      const auto& node = graph.node(data_.constants.at(at).node);
      if (node.input_size() == 0) break;  // a file may say so, be it nonsense
      if (std::ranges::find(kViews, node.op_type()) == kViews.end()) break;
      at = node.input(0);
    }
    const auto found = data_.constants.find(at);
    if (found == data_.constants.end()) return 0;
    const auto& [initializer, sparse, node] = found->second;
    DType dtype = known_[at].dtype;
    int64_t elements = known_[at].shape.Elements().value_or(0);
    if (initializer >= 0) {
      const auto& tensor = graph.initializer(initializer);
      dtype = static_cast<DType>(tensor.data_type());
      elements = Shape(std::span<const int64_t>(tensor.dims().data(), tensor.dims_size()))
                     .Elements()
                     .value_or(0);
    } else if (sparse >= 0) {
      const auto& tensor = graph.sparse_initializer(sparse).values();
      dtype = static_cast<DType>(tensor.data_type());
      elements = tensor.dims_size() > 0 ? tensor.dims(0) : 0;
    }
    const auto size = static_cast<int64_t>(ElementBytes(dtype));
    return size > 0 ? elements * size : (elements + 1) / 2;  // two of 4 bits in a byte
  }

  ModelData& data_;
  std::map<std::string, TensorType>& known_;
};

}  // namespace

void FillConstants(ModelData& data, std::map<std::string, TensorType>& known) {
  ConstantFiller(data, known).Fill();
}

}  // namespace fogline
