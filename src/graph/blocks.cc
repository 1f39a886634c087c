#include "graph/blocks.h"

#include <string_view>

#include "graph/model_data.h"

namespace fogline {
namespace {

// MobileNetV2 has 17 bottlenecks. The paper's split k follows bottleneck k + 1: the first one's
// output is larger than the input picture, and of the last three the paper's 14 positions leave out
// the two that send no less for more work on the edge.
constexpr size_t kBottlenecks = 17;
constexpr int kPaperSplits = 14;

class BlockFinder {
 public:
  explicit BlockFinder(ModelData& data) : data_(data) {}

  void Find() {
    for (size_t i = 0; i < data_.nodes.size(); ++i) {
      if (IsDepthwise(static_cast<int>(i))) TryBlock(static_cast<int>(i));
    }
  }

 private:
  std::string_view Op(int node) const { return data_.nodes[node].op; }
  const onnx::NodeProto& Proto(int node) const {
    return data_.proto.graph().node(data_.proto_nodes[node]);
  }
  int64_t Attribute(int node, std::string_view name, int64_t otherwise) const {
    for (const auto& attribute : Proto(node).attribute()) {
      if (attribute.name() == name) return attribute.i();
    }
    return otherwise;
  }
  /// Shape of a convolution's weights; null for anything else.
  const Shape* Weight(int node) const {
    if (Op(node) != "Conv" || Proto(node).input_size() < 2) return nullptr;
    const auto found = data_.read_constant_index.find(Proto(node).input(1));
    if (found == data_.read_constant_index.end()) return nullptr;
    const Shape& shape = data_.read_constants[found->second].port.shape;
    return shape.rank() == 4 ? &shape : nullptr;
  }
  bool IsDepthwise(int node) const {
    const Shape* w = Weight(node);
    return w != nullptr && (*w)[1] == 1 && (*w)[2] > 1 && Attribute(node, "group", 1) == (*w)[0];
  }
  bool IsPointwise(int node) const {
    const Shape* w = Weight(node);
    return w != nullptr && (*w)[2] == 1 && (*w)[3] == 1 && Attribute(node, "group", 1) == 1;
  }
  /// Between floats and integers: no layer of the network's own.
  bool Converts(int node) const {
    return Op(node) == "QuantizeLinear" || Op(node) == "DequantizeLinear";
  }
  /// The only reader of a node's only output, or -1; conversions are passed over.
  int Next(int node) const {
    do {
      if (data_.nodes[node].outputs.size() != 1) return -1;
      const Activation& out = data_.activations[data_.nodes[node].outputs[0]];
      node = out.readers.size() == 1 ? out.readers[0] : -1;
    } while (node >= 0 && Converts(node));
    return node;
  }
  int Before(int node) const {
    do {
      node = data_.nodes[node].inputs.size() == 1
                 ? data_.activations[data_.nodes[node].inputs[0]].producer
                 : -1;
    } while (node >= 0 && Converts(node));
    return node;
  }
  /// What a tensor is converted from; itself, where it is not.
  int Source(int activation) const {
    for (int from = data_.activations[activation].producer; from >= 0 && Converts(from);
         from = data_.activations[activation].producer) {
      activation = data_.nodes[from].inputs[0];
    }
    return activation;
  }
  /// A node's output, as integers where it is made into such and nothing else reads it.
  int OutputOf(int node) const {
    const int out = data_.nodes[node].outputs[0];
    const auto& readers = data_.activations[out].readers;
    const bool integers = readers.size() == 1 && Op(readers[0]) == "QuantizeLinear";
    return integers ? data_.nodes[readers[0]].outputs[0] : out;
  }
  static bool IsActivation(std::string_view op) {
    return op == "Clip" || op == "Relu" || op == "HardSwish" || op == "PRelu" || op == "LeakyRelu";
  }

  void TryBlock(int depthwise) {
    std::vector<int> members{depthwise};
    // Forwards: normalisation and activation, then the linear projection.
    int at = Next(depthwise);
    for (; at >= 0 && (IsActivation(Op(at)) || Op(at) == "BatchNormalization"); at = Next(at)) {
      members.push_back(at);
    }
    if (at < 0 || !IsPointwise(at)) return;
    members.push_back(at);
    int last = at;
    at = Next(at);
    if (at >= 0 && Op(at) == "BatchNormalization") {
      members.push_back(at);
      last = at;
      at = Next(at);
    }
    if (at >= 0 && IsActivation(Op(at))) return;  // MobileNetV1: not linear
    // Backwards: the expansion, which the first block has not.
    int front = depthwise;
    int before = Before(depthwise);
    std::vector<int> expansion;
    for (; before >= 0 && (IsActivation(Op(before)) || Op(before) == "BatchNormalization") &&
           Next(before) == front;
         before = Before(before)) {
      expansion.push_back(before);
      front = before;
    }
    if (before >= 0 && IsPointwise(before) && data_.nodes[before].block < 0 &&
        Next(before) == front) {
      expansion.push_back(before);
      members.insert(members.end(), expansion.begin(), expansion.end());
      front = before;
    } else {
      front = depthwise;
    }
    const int input = Source(data_.nodes[front].inputs[0]);
    Block block;
    if (at >= 0 && Op(at) == "Add" &&
        std::ranges::any_of(data_.nodes[at].inputs, [&](int a) { return Source(a) == input; })) {
      block.residual = true;
      members.push_back(at);
      last = at;
    }
    block.output = OutputOf(last);
    for (const int member : members) {
      data_.nodes[member].block = static_cast<int>(data_.blocks.size());
    }
    data_.blocks.push_back(block);
  }

  ModelData& data_;
};

}  // namespace

void FindBlocks(ModelData& data) { BlockFinder(data).Find(); }

std::string PaperAlias(const Model& model, int activation) {
  const auto& blocks = model.blocks();
  if (blocks.size() != kBottlenecks) return {};
  for (int k = 1; k <= kPaperSplits; ++k) {
    if (blocks[k].output == activation) return "split" + std::to_string(k);
  }
  return {};
}

}  // namespace fogline
