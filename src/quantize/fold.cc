#include "quantize/fold.h"

#include <cmath>
#include <optional>
#include <set>
#include <string>

namespace fogline::quantize {
namespace {

bool IsQuantised(const std::string& op) {
  return op == "QuantizeLinear" || op == "DequantizeLinear" || op.starts_with("QLinear") ||
         op.starts_with("QGemm") || op.ends_with("Integer") || op == "DynamicQuantizeLinear" ||
         op == "MatMulIntegerToFloat" || op == "MatMulNBits";
}

void FoldConstants(Net& net) {
  std::set<int> gone;
  for (int i = 0; i < net.graph().node_size(); ++i) {
    auto& node = *net.graph().mutable_node(i);
    if (node.op_type() != "Constant") continue;
    const auto* value = Attribute(node, "value");
    if (value == nullptr || net.IsOutput(node.output(0))) continue;
    auto tensor = value->t();
    tensor.set_name(node.output(0));
    net.Constant(node.output(0)) = std::move(tensor);
    gone.insert(i);
  }
  net.Remove(gone);
}

void DropIdentities(Net& net) {
  std::set<int> gone;
  for (int i = 0; i < net.graph().node_size(); ++i) {
    const auto& node = net.graph().node(i);
    const bool idle = node.op_type() == "Identity" ||
                      (node.op_type() == "Dropout" &&
                       (node.output_size() == 1 || net.Readers(node.output(1)).empty()));
    if (!idle || net.IsOutput(node.output(0))) continue;
    const std::string from = node.output(0), to = node.input(0);
    net.Rewire(from, to);
    net.Reindex();
    gone.insert(i);
  }
  net.Remove(gone);
}

/// y = scale · x + shift, by channel.
struct Affine {
  std::vector<float> scale, shift;
};

std::optional<Affine> OfBatchNorm(const Net& net, const onnx::NodeProto& node) {
  if (node.op_type() != "BatchNormalization" || node.input_size() != 5) return {};
  const auto gamma = net.Floats(node.input(1)), beta = net.Floats(node.input(2)),
             mean = net.Floats(node.input(3)), variance = net.Floats(node.input(4));
  if (!gamma || !beta || !mean || !variance) return {};
  const float epsilon = FloatOf(node, "epsilon", 1e-5F);
  Affine affine;
  for (size_t c = 0; c < gamma->values.size(); ++c) {
    const float scale = gamma->values[c] / std::sqrt(variance->values[c] + epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(beta->values[c] - mean->values[c] * scale);
  }
  return affine;
}

/// The addition or multiplication of a constant a channel, as [1,C,1,1] or [C,1,1].
std::optional<Affine> OfConstant(const Net& net, const onnx::NodeProto& node, size_t channels) {
  const bool add = node.op_type() == "Add", mul = node.op_type() == "Mul";
  if (!add && !mul) return {};
  for (const std::string& name : node.input()) {
    const auto numbers = net.Floats(name);
    if (!numbers || numbers->values.size() != channels || numbers->dims.size() < 3) continue;
    const size_t at = numbers->dims.size() - 3;
    if (numbers->dims[at] != static_cast<int64_t>(channels)) continue;
    const std::vector<float> ones(channels, 1.0F), zeros(channels, 0.0F);
    return add ? Affine{ones, numbers->values} : Affine{numbers->values, zeros};
  }
  return {};
}

/// Gives a convolution a bias of its own, which no other layer reads.
void GiveBias(Net& net, onnx::NodeProto& conv, size_t channels) {
  Numbers bias{{static_cast<int64_t>(channels)}, std::vector<float>(channels, 0.0F)};
  if (conv.input_size() > 2 && !conv.input(2).empty()) {
    auto had = net.Floats(conv.input(2));
    if (!had) return;
    if (net.Readers(conv.input(2)).size() == 1) return;
    bias = *std::move(had);
  }
  const std::string name = net.Unique(NameOf(conv) + "_bias");
  net.SetFloats(name, bias);
  while (conv.input_size() < 3) conv.add_input("");
  conv.set_input(2, name);
}

void Apply(Net& net, onnx::NodeProto& conv, Numbers weights, const Affine& affine) {
  const size_t channels = affine.scale.size(), each = weights.values.size() / channels;
  auto bias = net.Floats(conv.input(2));
  if (!bias) return;
  for (size_t c = 0; c < channels; ++c) {
    for (size_t k = 0; k < each; ++k) weights.values[c * each + k] *= affine.scale[c];
    bias->values[c] = bias->values[c] * affine.scale[c] + affine.shift[c];
  }
  const std::string name = net.Unique(NameOf(conv) + "_weights");  // others may read the old ones
  net.SetFloats(name, weights);
  conv.set_input(1, name);
  net.SetFloats(conv.input(2), *bias);
}

void FoldIntoConvs(Net& net) {
  std::set<int> gone;
  for (int i = 0; i < net.graph().node_size(); ++i) {
    auto& conv = *net.graph().mutable_node(i);
    if (conv.op_type() != "Conv" || gone.contains(i)) continue;
    const auto weights = net.Floats(conv.input(1));
    if (!weights || weights->dims.empty() || weights->dims[0] < 1) continue;
    const auto channels = static_cast<size_t>(weights->dims[0]);
    GiveBias(net, conv, channels);
    net.Reindex();
    while (net.ReadOnce(conv.output(0))) {
      const int next = net.Readers(conv.output(0))[0];
      const auto& node = net.graph().node(next);
      auto affine = OfBatchNorm(net, node);
      if (!affine) affine = OfConstant(net, node, channels);
      if (!affine || affine->scale.size() != channels) break;
      Apply(net, conv, *net.Floats(conv.input(1)), *affine);
      conv.set_output(0, node.output(0));
      net.graph().mutable_node(next)->clear_output();
      net.graph().mutable_node(next)->clear_input();
      gone.insert(next);
      net.Reindex();
    }
  }
  net.Remove(gone);
}

/// Constants that are read as one axis of the shape: [0, -1].
void FlattenByReshape(Net& net) {
  std::string shape;
  for (auto& node : *net.graph().mutable_node()) {
    if (node.op_type() != "Flatten" || IntOf(node, "axis", 1) != 1) continue;
    if (shape.empty()) net.SetInts(shape = net.Unique("flat_shape"), {0, -1});
    node.set_op_type("Reshape");
    node.clear_attribute();
    node.add_input(shape);
  }
  net.Reindex();
}

}  // namespace

Status CheckFloat(const Net& net) {
  for (const auto& node : net.graph().node()) {
    if (IsQuantised(node.op_type())) {
      return Fail(ErrorCode::kUnsupported, net.where(),
                  "is in integers already: {}; quantize takes the network in float32",
                  Describe(node));
    }
  }
  const auto half = [&](const std::string& name) {
    return Fail(ErrorCode::kUnsupported, net.where(),
                "computes in float16 ('{}'): quantize takes the network in float32", name);
  };
  for (const auto& tensor : net.graph().initializer()) {
    const int type = tensor.data_type();
    if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16) {
      return half(tensor.name());
    }
  }
  for (const auto& port : net.graph().input()) {
    if (port.type().tensor_type().elem_type() == onnx::TensorProto::FLOAT16) {
      return half(port.name());
    }
  }
  return {};
}

Status Fold(Net& net) {
  FoldConstants(net);
  DropIdentities(net);
  FoldIntoConvs(net);
  FlattenByReshape(net);
  for (const auto& tensor : net.graph().initializer()) {
    const auto numbers = net.Floats(tensor.name());
    if (!numbers) continue;
    for (const float value : numbers->values) {
      if (std::isnan(value)) {
        return Fail(ErrorCode::kInvalid, net.where(), "weights '{}' hold NaN", tensor.name());
      }
    }
  }
  return {};
}

}  // namespace fogline::quantize
