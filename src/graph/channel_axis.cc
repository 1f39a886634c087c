#include "graph/channel_axis.h"

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>

#include "graph/model_data.h"

namespace fogline {
namespace {

/// Operators whose first input and first output have their channels at axis 1 by definition. The
/// names of their quantised kin begin or end alike.
constexpr std::array kChannelsSecond = {"Conv",
                                        "ConvTranspose",
                                        "ConvInteger",
                                        "QLinearConv",
                                        "FusedConv",
                                        "MaxPool",
                                        "AveragePool",
                                        "GlobalAveragePool",
                                        "GlobalMaxPool",
                                        "LpPool",
                                        "GlobalLpPool",
                                        "QLinearAveragePool",
                                        "BatchNormalization",
                                        "InstanceNormalization",
                                        "GroupNormalization",
                                        "LRN",
                                        "DepthToSpace",
                                        "SpaceToDepth",
                                        "QLinearGlobalAveragePool"};
/// Products with a matrix of weights: channels are what is summed over, and what comes out.
constexpr std::array kChannelsLast = {
    "MatMul",      "MatMulInteger",      "QLinearMatMul",
    "FusedMatMul", "LayerNormalization", "SimplifiedLayerNormalization"};
constexpr std::array kReshapes = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
/// Of these an axis keeps its place though it may change its size.
constexpr std::array kResizing = {"Concat", "Split",    "Slice",        "Pad",
                                  "Resize", "Upsample", "QLinearConcat"};

template <size_t N>
bool IsOneOf(std::string_view op, const std::array<const char*, N>& list) {
  return std::ranges::any_of(list, [&](const char* name) { return op == name; });
}

int64_t Before(const Shape& shape, size_t axis) {
  int64_t product = 1;
  for (size_t d = 0; d < axis; ++d) product *= shape[d];
  return product;
}

class AxisFinder {
 public:
  explicit AxisFinder(const Model& model)
      : model_(model), data_(model.data()), axes_(model.activations().size(), -1) {}

  std::vector<int> Find() {
    for (size_t n = 0; n < model_.nodes().size(); ++n) Anchor(n);
    while (!open_.empty()) {
      const int a = open_.front();
      open_.pop_front();
      const Activation& activation = model_.activations()[a];
      for (const int reader : activation.readers) PassOn(reader, a);
      if (activation.producer >= 0) PassOn(activation.producer, a);
    }
    return std::move(axes_);
  }

 private:
  const onnx::NodeProto& Proto(size_t node) const {
    return data_.proto.graph().node(data_.proto_nodes[node]);
  }
  const Shape& ShapeOf(int a) const { return model_.activations()[a].port.shape; }
  int IndexOf(const std::string& name) const {
    const auto found = data_.activation_index.find(name);
    return found == data_.activation_index.end() ? -1 : found->second;
  }

  void Set(int a, int axis) {
    if (a < 0 || axes_[a] >= 0 || axis < 0 || axis >= static_cast<int>(ShapeOf(a).rank())) return;
    axes_[a] = axis;
    open_.push_back(a);
  }

  void Anchor(size_t node) {
    const onnx::NodeProto& proto = Proto(node);
    if (proto.input_size() == 0 || proto.output_size() == 0) return;
    const int in = IndexOf(proto.input(0)), out = IndexOf(proto.output(0));
    if (IsOneOf(proto.op_type(), kChannelsSecond)) {
      Set(in, 1);
      Set(out, 1);
    } else if (IsOneOf(proto.op_type(), kChannelsLast) && model_.nodes()[node].inputs.size() == 1) {
      if (in >= 0) Set(in, static_cast<int>(ShapeOf(in).rank()) - 1);
      if (out >= 0) Set(out, static_cast<int>(ShapeOf(out).rank()) - 1);
    }
  }

  /// From a tensor whose axis is known to the others of a layer that reads or makes it.
  void PassOn(int node, int from) {
    const onnx::NodeProto& proto = Proto(static_cast<size_t>(node));
    const std::string_view op = proto.op_type();
    if (IsOneOf(op, kChannelsSecond) || IsOneOf(op, kChannelsLast)) return;  // they know themselves
    const bool makes = model_.activations()[from].producer == node;
    for (const auto* list : {&model_.nodes()[node].inputs, &model_.nodes()[node].outputs}) {
      for (const int to : *list) {
        if (to == from) continue;
        if (op == "Transpose") {
          Set(to, Transposed(proto, axes_[from], makes));
        } else if (IsOneOf(op, kReshapes)) {
          Set(to, Reshaped(ShapeOf(from), axes_[from], ShapeOf(to)));
        } else if (ShapeOf(to).rank() == ShapeOf(from).rank()) {
          const int axis = axes_[from];
          const bool same = ShapeOf(to)[axis] == ShapeOf(from)[axis];
          if (same || IsOneOf(op, kResizing)) Set(to, axis);
        }
      }
    }
  }

  /// Where the axis is on the other side: output axis i of a Transpose is its input axis perm[i].
  int Transposed(const onnx::NodeProto& proto, int axis, bool from_output) const {
    for (const auto& attribute : proto.attribute()) {
      if (attribute.name() != "perm") continue;
      const auto& perm = attribute.ints();
      if (axis >= perm.size()) return -1;
      if (from_output) return static_cast<int>(perm[axis]);
      return static_cast<int>(std::ranges::find(perm, axis) - perm.begin());
    }
    if (proto.input_size() == 0) return -1;
    const int in = IndexOf(proto.input(0));  // without one, axes are reversed
    return in < 0 ? -1 : static_cast<int>(ShapeOf(in).rank()) - 1 - axis;
  }

  /// The axis of `to` that has the same size, with as many elements before it; -1 without one.
  static int Reshaped(const Shape& from, int axis, const Shape& to) {
    const auto at = static_cast<size_t>(axis);
    if (from[at] <= 1) return -1;
    for (size_t d = 0; d < to.rank(); ++d) {
      if (to[d] == from[at] && Before(to, d) == Before(from, at)) return static_cast<int>(d);
    }
    return -1;
  }

  const Model& model_;
  const ModelData& data_;
  std::vector<int> axes_;
  std::deque<int> open_;  // set, and not yet passed on
};

}  // namespace

std::vector<int> ChannelAxes(const Model& model) { return AxisFinder(model).Find(); }

}  // namespace fogline
