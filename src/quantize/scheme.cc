#include "quantize/scheme.h"

#include <algorithm>
#include <optional>

namespace fogline::quantize {
namespace {

bool IsOneOf(const std::string& op, std::initializer_list<const char*> ops) {
  return std::ranges::any_of(ops, [&](const char* one) { return op == one; });
}

/// Operators that hand values on: both sides have one scale.
bool HandsOn(const std::string& op) {
  return IsOneOf(op, {"MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze"});
}

std::optional<Linear> LinearOf(const Net& net, int index) {
  const auto& node = net.graph().node(index);
  if (!IsOneOf(node.op_type(), {"Conv", "Gemm", "MatMul"}) || !node.domain().empty()) return {};
  const auto weights = net.Floats(node.input(1));
  if (!weights || weights->values.empty() || net.IsConstant(node.input(0))) return {};
  Linear linear{index, NameOf(node), node.op_type(), node.input(0), node.input(1), {}};
  if (node.input_size() > 2) linear.bias = node.input(2);
  if (!linear.bias.empty() && !net.Floats(linear.bias)) return {};
  const auto& dims = weights->dims;
  if (linear.op == "Conv") {
    if (dims.size() != 4) return {};
    linear.outputs = static_cast<size_t>(dims[0]);
    linear.groups = static_cast<size_t>(IntOf(node, "group", 1));
    linear.taps = static_cast<size_t>(dims[2] * dims[3]);
    linear.inputs = static_cast<size_t>(dims[1]) * linear.taps;
    return linear;
  }
  if (dims.size() != 2) return {};
  linear.transposed = IntOf(node, "transB", 0) == 0;
  linear.outputs = static_cast<size_t>(dims[linear.transposed ? 1 : 0]);
  linear.inputs = static_cast<size_t>(dims[linear.transposed ? 0 : 1]);
  if (linear.op == "MatMul") return linear;
  const bool plain = FloatOf(node, "alpha", 1) == 1 && FloatOf(node, "beta", 1) == 1 &&
                     IntOf(node, "transA", 0) == 0;
  const bool bias = linear.bias.empty() || net.Floats(linear.bias)->values.size() == linear.outputs;
  return plain && bias ? std::optional(linear) : std::nullopt;
}

/// What an activation bounds that a range beginning at zero stands for: ReLU and ReLU6.
std::optional<Bounds> BoundsOf(const Net& net, const onnx::NodeProto& node) {
  if (node.op_type() == "Relu") return Bounds{0, std::numeric_limits<float>::infinity()};
  if (node.op_type() != "Clip" || node.input_size() < 2) return {};
  const auto low = net.Floats(node.input(1));
  if (!low || low->values.size() != 1 || low->values[0] != 0) return {};
  Bounds bounds{0, std::numeric_limits<float>::infinity()};
  if (node.input_size() < 3 || node.input(2).empty()) return bounds;
  const auto high = net.Floats(node.input(2));
  if (!high || high->values.size() != 1 || high->values[0] <= 0) return {};
  bounds.high = high->values[0];
  return bounds;
}

class Maker {
 public:
  Maker(const Net& net, const std::set<std::string>& floating) : net_(net), floating_(floating) {}

  Scheme Make() {
    const int count = net_.graph().node_size();
    for (int i = 0; i < count; ++i) {
      if (auto linear = LinearOf(net_, i)) scheme_.linears.push_back(*std::move(linear));
    }
    std::erase_if(scheme_.linears,
                  [&](const Linear& linear) { return floating_.contains(linear.name); });
    for (const Linear& linear : scheme_.linears) scheme_.integer.insert(linear.node);
    FindFeeding();
    for (int i = 0; i < count; ++i) Visit(i);
    for (const int i : scheme_.integer) Name(i);
    return std::move(scheme_);
  }

 private:
  /// Nodes from which a way leads to a weighted layer.
  void FindFeeding() {
    for (int i = net_.graph().node_size(); i-- > 0;) {
      for (const std::string& name : net_.graph().node(i).output()) {
        for (const int reader : net_.Readers(name)) {
          if (scheme_.integer.contains(reader) || feeding_.contains(reader)) feeding_.insert(i);
        }
      }
    }
  }

  bool IsMadeInInteger(const std::string& tensor) const {
    const int producer = net_.Producer(tensor);
    if (producer < 0) return false;
    if (scheme_.integer.contains(producer)) return true;
    return absorbers_.contains(producer);
  }

  bool CanBeInteger(int i) const {
    const auto& node = net_.graph().node(i);
    const std::string& op = node.op_type();
    if (!node.domain().empty() || !feeding_.contains(i)) return false;
    if (node.output_size() != 1) return false;
    if (HandsOn(op) || IsOneOf(op, {"GlobalAveragePool", "AveragePool", "Sigmoid", "LeakyRelu"})) {
      return IsMadeInInteger(node.input(0));
    }
    const bool binary = op == "Add" || op == "Mul";
    if (!binary && op != "Concat") return false;
    const auto constant = [&](const std::string& name) { return net_.IsConstant(name); };
    if (std::ranges::any_of(node.input(), constant)) return false;
    const auto made = [&](const std::string& name) { return IsMadeInInteger(name); };
    return std::ranges::all_of(node.input(), made);
  }

  void Visit(int i) {
    if (!scheme_.integer.contains(i)) {
      if (!CanBeInteger(i)) return;
      scheme_.integer.insert(i);
    }
    const auto& node = net_.graph().node(i);
    if (!IsOneOf(node.op_type(), {"Conv", "Add", "Concat"}) || !net_.ReadOnce(node.output(0)))
      return;
    const int next = net_.Readers(node.output(0))[0];
    const auto& behind = net_.graph().node(next);
    const auto bounds = BoundsOf(net_, behind);
    if (!bounds || behind.input(0) != node.output(0)) return;
    scheme_.absorbed[i] = next;
    absorbers_.insert(next);
    scheme_.tensors[behind.output(0)] = *bounds;
  }

  Behind BehindOf(const std::string& tensor) const {
    if (net_.IsOutput(tensor)) return Behind::kItself;
    const auto& readers = net_.Readers(tensor);
    const auto op = [&](int i) { return net_.graph().node(i).op_type(); };
    const auto sigmoid = std::ranges::find_if(readers, [&](int i) { return op(i) == "Sigmoid"; });
    if (sigmoid == readers.end()) return Behind::kItself;
    if (readers.size() == 1) return Behind::kSigmoid;
    const auto& made = net_.Readers(net_.graph().node(*sigmoid).output(0));
    const int other = readers[0] == *sigmoid ? readers[1] : readers[0];
    const bool silu = readers.size() == 2 && op(other) == "Mul" && made == std::vector{other};
    return silu ? Behind::kSilu : Behind::kItself;
  }

  void Name(int i) {
    const auto& node = net_.graph().node(i);
    const bool one = IsOneOf(node.op_type(), {"Conv", "Gemm", "MatMul"}) || HandsOn(node.op_type());
    for (int k = 0; k < (one ? 1 : node.input_size()); ++k) scheme_.tensors[node.input(k)];
    const std::string& output = scheme_.OutputOf(net_, i);
    const bool last =
        !feeding_.contains(i) && (node.op_type() == "Gemm" || node.op_type() == "MatMul");
    if (last) return;  // float sums leave it: no second rounding
    scheme_.tensors[output].behind = BehindOf(output);
    if (HandsOn(node.op_type())) scheme_.alike[output] = node.input(0);
  }

  const Net& net_;
  const std::set<std::string>& floating_;
  Scheme scheme_;
  std::set<int> feeding_, absorbers_;
};

}  // namespace

const std::string& Scheme::Root(const std::string& tensor) const {
  const auto found = alike.find(tensor);
  return found == alike.end() ? tensor : Root(found->second);
}

const std::string& Scheme::OutputOf(const Net& net, int node) const {
  const auto found = absorbed.find(node);
  return net.graph().node(found == absorbed.end() ? node : found->second).output(0);
}

Scheme MakeScheme(const Net& net, const std::set<std::string>& floating) {
  return Maker(net, floating).Make();
}

}  // namespace fogline::quantize
