// Arithmetic on shapes, done when a model is loaded: exporters write Gather(Shape(x)) where the
// file could say 416, and such a number would cross from edge to cloud beside what it is the size
// of.
#include <algorithm>

#include "graph/model_data.h"

namespace fogline {
namespace {

/// Everything that BuildTopology fills in, empty again.
void ForgetTopology(ModelData& data) {
  data.constants.clear();
  data.activation_index.clear();
  data.read_constants.clear();
  data.read_constant_index.clear();
  data.nodes.clear();
  data.proto_nodes.clear();
  data.proto_order.clear();
  data.node_constants.clear();
  data.activations.clear();
}

/// A whole number of an attribute.
int64_t IntOf(const onnx::NodeProto& node, const char* name, int64_t otherwise) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return otherwise;
}

/// What a Shape or a Size layer gives for a tensor of this shape.
onnx::TensorProto ValueOf(const onnx::NodeProto& node, const Shape& shape) {
  onnx::TensorProto value;
  value.set_name(node.output(0));
  value.set_data_type(onnx::TensorProto::INT64);
  const auto append = [&](int64_t number) {
    value.mutable_raw_data()->append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  if (node.op_type() == "Size") {
    append(shape.Elements().value_or(0));
    return value;
  }
  const auto rank = static_cast<int64_t>(shape.rank());
  const auto place = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t start = place(IntOf(node, "start", 0)), end = place(IntOf(node, "end", rank));
  value.add_dims(std::max<int64_t>(0, end - start));
  for (int64_t axis = start; axis < end; ++axis) append(shape[static_cast<size_t>(axis)]);
  return value;
}

onnx::ValueInfoProto Listed(const onnx::TensorProto& value) {
  onnx::ValueInfoProto info;
  info.set_name(value.name());
  auto* type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(value.data_type());
  auto* shape = type->mutable_shape();
  for (const int64_t d : value.dims()) shape->add_dim()->set_dim_value(d);
  return info;
}

}  // namespace

Result<bool> FoldShapes(ModelData& data,
                        const std::function<std::optional<Shape>(const std::string&)>& certain) {
  auto& graph = *data.proto.mutable_graph();
  std::unordered_set<std::string> outputs;
  for (const auto& output : graph.output()) outputs.insert(output.name());
  std::unordered_set<int> folded;
  std::vector<onnx::TensorProto> values;
  for (int i = 0; i < graph.node_size(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    const bool asks = node.op_type() == "Shape" || node.op_type() == "Size";
    if (!standard || !asks || node.input_size() != 1 || node.output_size() != 1) continue;
    if (!data.activation_index.contains(node.input(0)) || outputs.contains(node.output(0)))
      continue;
    const auto shape = certain(node.input(0));
    if (!shape) continue;
    folded.insert(i);
    values.push_back(ValueOf(node, *shape));
  }
  if (folded.empty()) return false;

  const onnx::GraphProto before = graph;
  onnx::GraphProto after = graph;
  after.clear_node();
  for (int i = 0; i < graph.node_size(); ++i) {
    if (!folded.contains(i)) *after.add_node() = graph.node(i);
  }
  for (onnx::TensorProto& value : values) {
    // Before IR version 4 every constant is listed among the inputs.
    if (data.proto.ir_version() < 4) *after.add_input() = Listed(value);
    *after.add_initializer() = std::move(value);
  }
  data.weights.resize(data.weights.size() + values.size());
  graph = std::move(after);
  ForgetTopology(data);
  if (BuildTopology(data)) return true;
  // All that the model says is its input's size.
  data.weights.resize(data.weights.size() - values.size());
  graph = before;
  ForgetTopology(data);
  FOGLINE_CHECK(BuildTopology(data));
  return false;
}

}  // namespace fogline
