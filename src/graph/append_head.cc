#include "graph/append_head.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "graph/model_data.h"
#include "graph/slice.h"

namespace fogline {
namespace {

constexpr int64_t kOpsetOfOurOwn = 13;  // for a model that imports no standard operators

bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kF64;
}

/// Height times width of a map of features; 1 for what is none.
int64_t Spatial(const Shape& shape) {
  if (shape.rank() != 4 || (shape[1] == 1 && shape[2] == 1)) return 1;
  return shape[2] * shape[3];
}

bool AveragesOverSpace(const Model& model, const Node& node) {
  static const std::set<std::string> kOps{"GlobalAveragePool", "AveragePool", "ReduceMean"};
  if (!kOps.contains(node.op) || node.inputs.size() != 1 || node.outputs.size() != 1) return false;
  const Shape& in = model.activations()[node.inputs[0]].port.shape;
  const Shape& out = model.activations()[node.outputs[0]].port.shape;
  if (in.rank() != 4 || Spatial(in) == 1 || Spatial(out) != 1) return false;
  const auto elements = out.Elements();
  // Channels are the second dimension, or the last in networks that came from TensorFlow.
  return elements && (*elements == in[0] * in[1] || *elements == in[0] * in[3]);
}

/// By node: true when a map of features depends on it.
std::vector<bool> FeedsMaps(const Model& model) {
  const auto& nodes = model.nodes();
  std::vector<bool> feeds(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    for (const int output : nodes[i].outputs) {
      for (const int reader : model.activations()[output].readers) {
        feeds[i] = feeds[i] || feeds[reader];
        for (const int made : nodes[reader].outputs) {
          feeds[i] = feeds[i] || Spatial(model.activations()[made].port.shape) > 1;
        }
      }
    }
  }
  return feeds;
}

/// "'fc7' (1x4096), 'pool5' (1x512x7x7)": the tensors that the last layers with weights read.
std::string Suggestions(const Model& model) {
  std::string text;
  int found = 0;
  for (size_t i = model.nodes().size(); i-- > 0 && found < 3;) {
    const Node& node = model.nodes()[i];
    if (node.params == 0 || node.inputs.size() != 1) continue;
    const Port& port = model.activations()[node.inputs[0]].port;
    if (!FeaturesAt(model, port.name)) continue;
    text += fmt::format("{}'{}' ({})", text.empty() ? "" : ", ", port.name, port.shape.ToString());
    ++found;
  }
  return text;
}

/// Adds layers behind tensors of a model, each under a name that nothing else has.
class Extension {
 public:
  explicit Extension(onnx::ModelProto& model) : graph_(*model.mutable_graph()) {
    if (model.opset_import_size() == 0) model.add_opset_import()->set_version(kOpsetOfOurOwn);
    for (const auto& port : graph_.input()) taken_.insert(port.name());
    for (const auto& tensor : graph_.initializer()) taken_.insert(tensor.name());
    for (const auto& node : graph_.node()) {
      taken_.insert(node.name());
      taken_.insert(node.output().begin(), node.output().end());
    }
    const auto& type = graph_.output(0).type().tensor_type();
    if (type.shape().dim_size() > 0) batch_ = type.shape().dim(0);
  }

  void ClearOutputs() { graph_.clear_output(); }
  /// What is added next reads this tensor.
  void From(const std::string& tensor) { last_ = tensor; }

  /// Appends a layer that reads the last one; `constants` are its other inputs.
  onnx::NodeProto& Add(const std::string& op, const std::string& output,
                       const std::vector<std::string>& constants = {}) {
    auto* node = graph_.add_node();
    node->set_op_type(op);
    node->set_name(Unique("head_" + op));
    node->add_input(last_);
    for (const std::string& name : constants) node->add_input(name);
    last_ = Unique(output);
    node->add_output(last_);
    return *node;
  }

  std::string Constant(const std::string& wanted, const std::vector<int64_t>& dims,
                       const std::vector<float>& values) {
    auto* tensor = graph_.add_initializer();
    tensor->set_name(Unique(wanted));
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const int64_t d : dims) tensor->add_dims(d);
    tensor->set_raw_data(values.data(), values.size() * sizeof(float));
    return tensor->name();
  }

  /// Makes an output of what was added last; its name.
  const std::string& Finish(int64_t width) {
    auto* output = graph_.add_output();
    output->set_name(last_);
    auto* type = output->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    *type->mutable_shape()->add_dim() = batch_;
    type->mutable_shape()->add_dim()->set_dim_value(width);
    return last_;
  }

 private:
  std::string Unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }

  onnx::GraphProto& graph_;
  std::set<std::string> taken_;
  std::string last_;
  onnx::TensorShapeProto::Dimension batch_;
};

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

Result<onnx::ModelProto> Read(const std::string& bytes, const Model& model) {
  onnx::ModelProto proto;
  if (proto.ParseFromString(bytes)) return proto;
  return Fail(ErrorCode::kInternal, model.where(), "what was cut of it cannot be read back");
}

Result<std::string> Serialise(const onnx::ModelProto& proto, const Model& model) {
  std::string out;
  if (proto.SerializeToString(&out)) return out;
  return Fail(ErrorCode::kExhausted, model.where(), "with its head is past the 2 GB of a file");
}

/// From a tensor to one vector a picture, called `name` in the end.
void AddFeatures(const Model& model, const FeaturePoint& point, const char* name,
                 Extension& extension) {
  extension.From(point.tensor);
  if (point.average) extension.Add("GlobalAveragePool", "head_pooled");
  const bool cast =
      model.activations()[model.FindActivation(point.tensor)].port.dtype != DType::kF32;
  if (cast) {
    SetInt(extension.Add("Cast", "head_float"), "to", onnx::TensorProto::FLOAT);
  }
  SetInt(extension.Add("Flatten", name), "axis", 1);
}

/// From a tensor to logits, which become an output; its name.
std::string AddHead(const Model& model, const FeaturePoint& point, const LinearHead& head,
                    const char* name, Extension& extension) {
  AddFeatures(model, point, "head_features", extension);
  const std::string weights =
      extension.Constant("head_weights", {head.classes, head.features}, head.weights);
  const std::string bias = extension.Constant("head_bias", {head.classes}, head.bias);
  SetInt(extension.Add("Gemm", name, {weights, bias}), "transB", 1);
  return extension.Finish(head.classes);
}

Status CheckFits(const Model& model, const FeaturePoint& point, const LinearHead& head) {
  if (head.features == point.width && head.classes >= 2 &&
      head.weights.size() == static_cast<size_t>(head.classes * head.features) &&
      head.bias.size() == static_cast<size_t>(head.classes)) {
    return {};
  }
  return Fail(ErrorCode::kInvalid, model.where(),
              "a head of {} classes over {} features does not fit '{}' with {}", head.classes,
              head.features, point.tensor, point.width);
}

}  // namespace

Result<FeaturePoint> FeaturesAt(const Model& model, const std::string& tensor) {
  const int found = model.FindActivation(tensor);
  if (found < 0) {
    std::vector<std::string> names;
    for (const Activation& a : model.activations()) names.push_back(a.port.name);
    return Fail(ErrorCode::kNotFound, model.where(), "has no tensor '{}'{}", tensor,
                DidYouMean(tensor, names));
  }
  const Activation& activation = model.activations()[found];
  const Shape& shape = activation.port.shape;
  if (activation.producer < 0) {
    return Fail(ErrorCode::kUsage, model.where(),
                "'{}' is the model's input: a head needs features, the output of some layer",
                tensor);
  }
  FeaturePoint point{tensor, shape, Spatial(shape) > 1, 0};
  const bool vector = shape.rank() >= 2 && shape.rank() <= 4 && Spatial(shape) == 1;
  if (IsFloat(activation.port.dtype) && shape.IsStatic() && (point.average || vector)) {
    point.width = point.average ? shape[1] : *shape.Elements() / std::max<int64_t>(1, shape[0]);
  }
  if (point.width < 1) {
    return Fail(ErrorCode::kUsage, model.where(),
                "'{}' is {} {}: a head reads floating-point features of 1xF or 1xFxHxW", tensor,
                DTypeName(activation.port.dtype), shape.ToString());
  }
  return point;
}

Result<FeaturePoint> PooledFeatures(const Model& model) {
  const std::vector<bool> feeds_maps = FeedsMaps(model);
  for (size_t i = model.nodes().size(); i-- > 0;) {
    const Node& node = model.nodes()[i];
    if (feeds_maps[i] || !AveragesOverSpace(model, node)) continue;
    return FeaturesAt(model, model.activations()[node.outputs[0]].port.name);
  }
  const std::string instead = Suggestions(model);
  return Fail(ErrorCode::kUnsupported, model.where(),
              "has no pooled features (no layer averages over height and width before the "
              "classifier); choose a tensor with --at{}{}; fogline inspect lists them all",
              instead.empty() ? "" : ", for example ", instead);
}

Result<std::string> WriteFeatures(const Model& model, const FeaturePoint& point) {
  FOGLINE_TRY(const std::string prefix, SlicePiece(model, {}, {&point.tensor, 1}));
  FOGLINE_TRY(onnx::ModelProto proto, Read(prefix, model));
  Extension extension(proto);
  extension.ClearOutputs();
  AddFeatures(model, point, "features", extension);
  extension.Finish(point.width);
  return Serialise(proto, model);
}

Result<std::string> AppendHead(const Model& model, const FeaturePoint& point,
                               const LinearHead& head) {
  FOGLINE_CHECK(CheckFits(model, point, head));
  FOGLINE_TRY(const std::string prefix, SlicePiece(model, {}, {&point.tensor, 1}));
  FOGLINE_TRY(onnx::ModelProto proto, Read(prefix, model));
  Extension extension(proto);
  extension.ClearOutputs();
  AddHead(model, point, head, "logits", extension);
  return Serialise(proto, model);
}

Result<WithExits> AppendExits(const Model& model, std::span<const ExitHead> exits) {
  for (const ExitHead& exit : exits) FOGLINE_CHECK(CheckFits(model, exit.point, exit.head));
  FOGLINE_TRY(const std::string whole, SliceWhole(model));
  FOGLINE_TRY(onnx::ModelProto proto, Read(whole, model));
  Extension extension(proto);
  WithExits out;
  for (const ExitHead& exit : exits) {
    out.outputs.push_back(AddHead(model, exit.point, exit.head, "exit", extension));
  }
  FOGLINE_TRY(out.bytes, Serialise(proto, model));
  return out;
}

}  // namespace fogline
