#include "quantize/opset.h"

#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fogline::quantize {
namespace {

constexpr int64_t kWanted = 13, kOldest = 7;
constexpr int64_t kIrVersion = 7;  // with which constants need not be inputs

/// Says of an operator from which operator set on it means what it means in 13.
struct Since {
  std::string_view op;
  int64_t since;
};
constexpr Since kSame[] = {
    {"Conv", 1},
    {"ConvTranspose", 1},
    {"Relu", 1},
    {"LeakyRelu", 1},
    {"PRelu", 7},
    {"Sigmoid", 1},
    {"HardSigmoid", 1},
    {"Tanh", 1},
    {"Add", 7},
    {"Sub", 7},
    {"Mul", 7},
    {"Div", 7},
    {"Concat", 4},
    {"MaxPool", 1},
    {"AveragePool", 1},
    {"GlobalAveragePool", 1},
    {"GlobalMaxPool", 1},
    {"Gemm", 7},
    {"MatMul", 1},
    {"Reshape", 5},
    {"Flatten", 1},
    {"Transpose", 1},
    {"LRN", 1},
    {"Identity", 1},
    {"Shape", 1},
    {"Gather", 1},
    {"Constant", 1},
    {"Cast", 6},
    {"Exp", 1},
    {"Log", 1},
    {"Sqrt", 1},
    {"Pow", 7},
    {"ReduceMean", 1},
    {"ReduceMax", 1},
    {"ReduceMin", 1},
    {"Elu", 1},
    {"Selu", 1},
    {"Softplus", 1},
    {"Expand", 8},
    {"Tile", 6},
    {"Slice", 10},
    {"Pad", 11},
    {"Clip", 11},
    {"Resize", 11},
    {"Min", 8},
    {"Max", 8},
    {"Floor", 1},
    {"Ceil", 1},
    {"Abs", 1},
    {"Neg", 1},
    {"Reciprocal", 1},
    {"ConstantOfShape", 9},
    {"Where", 9},
    {"InstanceNormalization", 1},
    {"DepthToSpace", 1},
    {"SpaceToDepth", 1},
    {"ArgMax", 1},
    {"TopK", 11},
    {"NonMaxSuppression", 11},
    {"Equal", 7},
    {"Less", 9},
    {"Greater", 9},
    {"And", 7},
    {"Or", 7},
    {"Not", 1},
    {"BatchNormalization", 7},
    {"Dropout", 7},
    {"Range", 11},
    {"ReduceL2", 1},
    {"ReduceSumSquare", 1},
    {"LpNormalization", 1},
    {"NonZero", 9},
    {"GatherND", 11},
    {"GatherElements", 11},
    {"ScatterND", 11},
    {"Round", 11},
};

/// Moves a list of an attribute into a constant that the node reads at `place`.
void ListToInput(Net& net, onnx::NodeProto& node, std::string_view attribute, int place) {
  if (Attribute(node, attribute) == nullptr) return;
  const std::string name = net.Unique(NameOf(node) + "_" + std::string(attribute));
  net.SetInts(name, IntsOf(node, attribute));
  DropAttribute(node, attribute);
  while (node.input_size() <= place) node.add_input("");
  node.set_input(place, name);
}

void FloatToInput(Net& net, onnx::NodeProto& node, std::string_view attribute, float otherwise) {
  const std::string name = net.Unique(NameOf(node) + "_" + std::string(attribute));
  net.SetFloats(name, {{}, {FloatOf(node, attribute, otherwise)}});
  DropAttribute(node, attribute);
  node.add_input(name);
}

/// Flattens from `axis` on, as Softmax did before 13; of a matrix and axis 1 both are the same.
bool RaiseSoftmax(onnx::NodeProto& node, const std::set<std::string>& matrices) {
  const int64_t axis = IntOf(node, "axis", 1);
  SetInt(node, "axis", axis);
  return axis == -1 || (axis == 1 && matrices.contains(node.input(0)));
}

/// Tensors that are matrices for sure: made by Gemm or Flatten, or handed on from those.
std::set<std::string> Matrices(const Net& net) {
  std::set<std::string> matrices;
  for (const auto& node : net.graph().node()) {
    const std::string& op = node.op_type();
    const bool makes = op == "Gemm" || op == "Flatten";
    const bool passes = op == "Relu" || op == "Add" || op == "Identity" || op == "Dropout";
    if (makes || (passes && matrices.contains(node.input(0)))) matrices.insert(node.output(0));
    if (op != "Reshape") continue;
    for (const auto& tensor : net.graph().initializer()) {
      const bool shape = tensor.name() == node.input(1) && tensor.dims_size() == 1;
      if (shape && tensor.dims(0) == 2) matrices.insert(node.output(0));
    }
  }
  return matrices;
}

bool RaiseNode(Net& net, onnx::NodeProto& node, int64_t from, const std::set<std::string>& rank2) {
  const std::string op = node.op_type();
  if (op == "Softmax" || op == "LogSoftmax") return RaiseSoftmax(node, rank2);
  if (op == "Squeeze" || op == "Unsqueeze" || op == "ReduceSum") {
    ListToInput(net, node, "axes", 1);
    return true;
  }
  if (op == "Split") {
    ListToInput(net, node, "split", 1);
    return true;
  }
  if (op == "Clip" && from < 11) {
    FloatToInput(net, node, "min", std::numeric_limits<float>::lowest());
    FloatToInput(net, node, "max", std::numeric_limits<float>::max());
    return true;
  }
  if (op == "Pad" && from < 11) {
    ListToInput(net, node, "pads", 1);
    FloatToInput(net, node, "value", 0);
    return true;
  }
  if (op == "Slice" && from < 10) {
    ListToInput(net, node, "starts", 1);
    ListToInput(net, node, "ends", 2);
    ListToInput(net, node, "axes", 3);
    return true;
  }
  if (op == "BatchNormalization" || op == "Dropout") {
    const bool whole = IntOf(node, "spatial", 1) == 1;
    for (const char* name : {"spatial", "ratio", "is_test", "seed"}) DropAttribute(node, name);
    return whole;
  }
  for (const auto& [name, since] : kSame) {
    if (name == op) return from >= since;
  }
  return false;
}

}  // namespace

Status RaiseOpset(Net& net) {
  auto& model = net.model();
  onnx::OperatorSetIdProto* own = nullptr;
  for (auto& set : *model.mutable_opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") own = &set;
  }
  if (own == nullptr) {
    own = model.add_opset_import();
    own->set_version(1);
  }
  const int64_t from = own->version();
  // Constants that are inputs, too, could be overridden: an engine folds none of them.
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> inputs;
  for (auto& port : *net.graph().mutable_input()) {
    if (net.IsInput(port.name())) inputs.Add()->Swap(&port);
  }
  net.graph().mutable_input()->Swap(&inputs);
  model.set_ir_version(std::max<int64_t>(model.ir_version(), kIrVersion));
  if (from >= kWanted) return {};
  if (from < kOldest) {
    return Fail(ErrorCode::kUnsupported, net.where(),
                "is of operator set {}, which broadcasts otherwise: convert it to {} or later",
                from, kWanted);
  }
  const std::set<std::string> matrices = Matrices(net);
  for (auto& node : *net.graph().mutable_node()) {
    if (!node.domain().empty() && node.domain() != "ai.onnx") continue;
    if (!RaiseNode(net, node, from, matrices)) {
      return Fail(ErrorCode::kUnsupported, net.where(),
                  "{} cannot be raised from operator set {} to {}, which 8-bit weights need: "
                  "convert the model first",
                  Describe(node), from, kWanted);
    }
  }
  own->set_version(kWanted);
  net.Reindex();
  return {};
}

}  // namespace fogline::quantize
