#include "graph/body_madds.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <string>

#include "graph/inline.h"
#include "graph/madds.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

const onnx::AttributeProto* Attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

/// True when something in `graph` could count.
bool HasProducts(const onnx::ModelProto& model, const onnx::GraphProto& graph) {
  return std::ranges::any_of(graph.node(), [&](const onnx::NodeProto& node) {
    if (SumsProducts(node) || CallsFunction(model, node)) return true;
    return std::ranges::any_of(node.attribute(), [&](const onnx::AttributeProto& attribute) {
      return HasProducts(model, attribute.g()) ||
             std::ranges::any_of(attribute.graphs(),
                                 [&](const auto& inner) { return HasProducts(model, inner); });
    });
  });
}

/// The one number in a tensor of integers or truth values.
std::optional<int64_t> Scalar(const onnx::TensorProto& tensor) {
  if (tensor.int64_data_size() == 1) return tensor.int64_data(0);
  if (tensor.int32_data_size() == 1) return tensor.int32_data(0);
  if (tensor.data_type() == onnx::TensorProto::INT64 && tensor.raw_data().size() == 8) {
    int64_t value = 0;
    std::memcpy(&value, tensor.raw_data().data(), sizeof value);
    return value;
  }
  if (tensor.data_type() == onnx::TensorProto::BOOL && tensor.raw_data().size() == 1) {
    return tensor.raw_data()[0] != 0 ? 1 : 0;
  }
  return std::nullopt;
}

std::optional<int64_t> ScalarOf(const onnx::NodeProto& node) {
  if (node.op_type() != "Constant") return std::nullopt;
  if (const auto* value = Attribute(node, "value")) return Scalar(value->t());
  if (const auto* value = Attribute(node, "value_int")) return value->i();
  return std::nullopt;
}

/// The value of a constant of the whole model, where it stands in the file as it is.
std::optional<int64_t> ScalarOf(const ModelData& data, const std::string& name) {
  const auto found = data.constants.find(name);
  if (found == data.constants.end()) return std::nullopt;
  const auto& graph = data.proto.graph();
  if (found->second.initializer >= 0) return Scalar(graph.initializer(found->second.initializer));
  if (found->second.node >= 0) return ScalarOf(graph.node(found->second.node));
  return std::nullopt;
}

/// True when a Loop's body says "go on" whatever was computed.
bool AlwaysGoesOn(const onnx::GraphProto& body) {
  if (body.output_size() < 1 || body.input_size() < 2) return false;
  std::string name = body.output(0).name();
  for (int step = 0; step <= body.node_size(); ++step) {
    if (name == body.input(1).name()) return true;
    for (const auto& tensor : body.initializer()) {
      if (tensor.name() == name) return Scalar(tensor).value_or(0) != 0;
    }
    const auto maker = std::ranges::find_if(body.node(), [&](const onnx::NodeProto& node) {
      return std::ranges::find(node.output(), name) != node.output().end();
    });
    if (maker == body.node().end()) return false;
    if (const auto value = ScalarOf(*maker)) return *value != 0;
    if (maker->op_type() != "Identity" || maker->input_size() != 1) return false;
    name = maker->input(0);
  }
  return false;
}

class BodyCounter {
 public:
  BodyCounter(const ModelData& data, size_t index, const ShapeSource& types)
      : data_(data), types_(types), node_(data.proto.graph().node(data.proto_nodes[index])) {}

  Madds Count() {
    if (CallsFunction(data_.proto, node_)) return {0, true};
    if (node_.op_type() == "If") {
      Madds larger;
      for (const char* branch : {"then_branch", "else_branch"}) {
        const auto* graph = Attribute(node_, branch);
        if (graph == nullptr) continue;
        const Madds madds = CountOnce(graph->g(), 0);
        larger = {std::max(larger.count, madds.count), larger.at_least || madds.at_least};
      }
      return larger;
    }
    if (node_.op_type() == "Loop") return Repeated(LoopRuns(), 0);
    if (node_.op_type() == "Scan") {
      const auto* scanned = Attribute(node_, "num_scan_inputs");
      return Repeated(ScanRuns(), scanned == nullptr ? 0 : scanned->i());
    }
    Madds all;  // some other operator with graphs inside
    for (const auto& attribute : node_.attribute()) {
      if (!attribute.has_g()) continue;
      all.count = Sum(all.count, CountOnce(attribute.g(), 0).count);
      all.at_least |= HasProducts(data_.proto, attribute.g());
    }
    return all;
  }

 private:
  static int64_t Sum(int64_t a, int64_t b) {
    int64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
  }

  Madds Repeated(std::optional<int64_t> runs, int64_t scanned) {
    const auto* body = Attribute(node_, "body");
    if (body == nullptr) return {0, true};
    Madds madds = CountOnce(body->g(), scanned);
    if (!runs && HasProducts(data_.proto, body->g())) madds.at_least = true;
    if (__builtin_mul_overflow(madds.count, std::max<int64_t>(0, runs.value_or(1)), &madds.count)) {
      madds.count = INT64_MAX;
    }
    return madds;
  }

  std::optional<int64_t> LoopRuns() const {
    const auto* body = Attribute(node_, "body");
    if (body == nullptr || node_.input_size() < 2 || node_.input(0).empty()) return std::nullopt;
    const auto most = ScalarOf(data_, node_.input(0));
    const bool starts = node_.input(1).empty() || ScalarOf(data_, node_.input(1)).value_or(0) != 0;
    if (!most || !starts || !AlwaysGoesOn(body->g())) return std::nullopt;
    return most;
  }

  /// Scan goes through its scanned inputs along an axis, the first unless it says otherwise.
  std::optional<int64_t> ScanRuns() const {
    const auto* scanned = Attribute(node_, "num_scan_inputs");
    if (scanned == nullptr || scanned->i() < 1 || scanned->i() > node_.input_size()) {
      return std::nullopt;
    }
    const Port port = PortOf(node_.input(node_.input_size() - static_cast<int>(scanned->i())));
    const auto axis = AxisOf(0, port.shape.rank());
    if (!axis) return std::nullopt;
    return port.shape[*axis];
  }

  std::optional<size_t> AxisOf(int64_t scan_input, size_t rank) const {
    const auto* axes = Attribute(node_, "scan_input_axes");
    int64_t axis = axes != nullptr && scan_input < axes->ints_size()
                       ? axes->ints(static_cast<int>(scan_input))
                       : 0;
    if (axis < 0) axis += static_cast<int64_t>(rank);
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) return std::nullopt;
    return static_cast<size_t>(axis);
  }

  /// A tensor of the whole, activation or constant; without a type when it has none.
  Port PortOf(const std::string& name) const {
    if (const auto a = data_.activation_index.find(name); a != data_.activation_index.end()) {
      return data_.activations[a->second].port;
    }
    const auto c = data_.read_constant_index.find(name);
    return c == data_.read_constant_index.end() ? Port{} : data_.read_constants[c->second].port;
  }

  /// One run of `body`, the last `scanned` of whose inputs are slices of the node's.
  Madds CountOnce(const onnx::GraphProto& body, int64_t scanned) {
    if (!HasProducts(data_.proto, body)) return {};
    ModelData inside;
    inside.where = data_.where;
    inside.opset = data_.opset;
    inside.proto.set_ir_version(data_.proto.ir_version());
    *inside.proto.mutable_opset_import() = data_.proto.opset_import();
    *inside.proto.mutable_functions() = data_.proto.functions();
    *inside.proto.mutable_graph() = body;
    if (!GiveInputs(*inside.proto.mutable_graph(), scanned)) return {0, true};
    inside.weights.resize(static_cast<size_t>(inside.proto.graph().initializer_size()));
    const LoadOptions as_given;
    if (!BuildTopology(inside) || !TypeTensors(inside, types_, as_given)) return {0, true};
    return {inside.madds, inside.madds_at_least};
  }

  /// Declares what the body gets from its node and what it captures, with the shapes of the whole.
  bool GiveInputs(onnx::GraphProto& body, int64_t scanned) const {
    const bool loop = node_.op_type() == "Loop";
    const int from = loop ? 2 : 0;  // a Loop's body gets the round and the condition first
    for (int i = from; i < body.input_size(); ++i) {
      if (i >= node_.input_size()) return false;
      Port port = PortOf(node_.input(i));
      if (const int64_t slice = i - (body.input_size() - scanned); slice >= 0) {
        const auto axis = AxisOf(slice, port.shape.rank());
        if (!axis) return false;
        std::vector<int64_t> dims(port.shape.begin(), port.shape.end());
        dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(*axis));
        port.shape = Shape(dims);
      }
      port.name = body.input(i).name();
      if (!Declare(port, *body.mutable_input(i))) return false;
    }
    if (loop && body.input_size() >= 2) {
      Declare({body.input(0).name(), DType::kI64, {}}, *body.mutable_input(0));
      Declare({body.input(1).name(), DType::kBool, {}}, *body.mutable_input(1));
    }
    onnx::NodeProto alone;
    *alone.add_attribute()->mutable_g() = body;
    const auto captured = NamesRead(alone);
    for (const std::string& name : std::set<std::string>(captured.begin(), captured.end())) {
      const auto constant = data_.constants.find(name);
      const int weight = constant == data_.constants.end() ? -1 : constant->second.initializer;
      if (weight >= 0 && data_.weights[weight].size() == 0) {
        *body.add_initializer() = data_.proto.graph().initializer(weight);
        continue;
      }
      Port port = PortOf(name);
      port.name = name;
      if (!Declare(port, *body.add_input())) return false;
    }
    return true;
  }

  static bool Declare(const Port& port, onnx::ValueInfoProto& info) {
    if (port.dtype == DType::kUndefined || !port.shape.IsStatic()) return false;
    info.set_name(port.name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(static_cast<int>(port.dtype));
    type->mutable_shape()->clear_dim();
    for (const int64_t d : port.shape) type->mutable_shape()->add_dim()->set_dim_value(d);
    return true;
  }

  const ModelData& data_;
  const ShapeSource& types_;
  const onnx::NodeProto& node_;
};

}  // namespace

Madds CountBodies(const ModelData& data, size_t index, const ShapeSource& types) {
  return BodyCounter(data, index, types).Count();
}

}  // namespace fogline
