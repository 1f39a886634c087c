#include "graph/slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "graph/model_data.h"

namespace fogline {
namespace {

class Slicer {
 public:
  explicit Slicer(const ModelData& data) : data_(data), whole_(data.proto.graph()) {}

  /// The model that computes `outputs` from `inputs` with the layers where `chosen` says so.
  Result<std::string> Write(const std::vector<bool>& chosen, const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs) {
    for (size_t i = 0; i < chosen.size(); ++i) {
      if (!chosen[i]) continue;
      nodes_.insert(data_.proto_nodes[i]);
      for (const int c : data_.node_constants[i]) NeedConstant(data_.read_constants[c].port.name);
    }
    for (const std::string& name : outputs) NeedConstant(name);
    CopyHead();
    for (const std::string& name : inputs) AddPort(name, *half_.mutable_graph()->mutable_input());
    for (const std::string& name : outputs) {
      AddPort(name, *half_.mutable_graph()->mutable_output());
    }
    CopyBody();
    CopyFunctions();
    return WriteModel(data_, half_, {initializers_.begin(), initializers_.end()});
  }

 private:
  void NeedConstant(const std::string& name) {
    const auto found = data_.constants.find(name);
    if (found == data_.constants.end() || !constants_.insert(name).second) return;
    const ConstantSource& source = found->second;
    if (source.initializer >= 0) initializers_.insert(source.initializer);
    if (source.sparse >= 0) sparse_.insert(source.sparse);
    if (source.node < 0 || !nodes_.insert(source.node).second) return;
    for (const std::string& read : NamesRead(whole_.node(source.node))) NeedConstant(read);
  }

  void CopyHead() {
    const onnx::ModelProto& from = data_.proto;
    if (from.has_ir_version()) half_.set_ir_version(from.ir_version());
    *half_.mutable_opset_import() = from.opset_import();
    if (from.has_producer_name()) half_.set_producer_name(from.producer_name());
    if (from.has_producer_version()) half_.set_producer_version(from.producer_version());
    if (from.has_domain()) half_.set_domain(from.domain());
    if (from.has_model_version()) half_.set_model_version(from.model_version());
    if (from.has_doc_string()) half_.set_doc_string(from.doc_string());
    *half_.mutable_metadata_props() = from.metadata_props();
    half_.GetReflection()->MutableUnknownFields(&half_)->MergeFrom(
        from.GetReflection()->GetUnknownFields(from));
    auto* graph = half_.mutable_graph();
    if (whole_.has_name()) graph->set_name(whole_.name());
    if (whole_.has_doc_string()) graph->set_doc_string(whole_.doc_string());
    graph->GetReflection()->MutableUnknownFields(graph)->MergeFrom(
        whole_.GetReflection()->GetUnknownFields(whole_));
  }

  /// An input or output: as the whole model declares it, else as the engine typed it.
  void AddPort(const std::string& name,
               google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& ports) {
    auto* info = ports.Add();
    info->set_name(name);
    const auto at = data_.activation_index.find(name);
    if (data_.one_size && at != data_.activation_index.end() &&
        data_.activations[at->second].port.dtype != DType::kUndefined) {
      return Declare(data_.activations[at->second], *info);
    }
    for (const auto* declared : {&whole_.input(), &whole_.output()}) {
      for (const auto& whole : *declared) {
        if (whole.name() != name || !whole.type().tensor_type().has_shape()) continue;
        *info = whole;
        return;
      }
    }
    const auto found = data_.open_types.find(name);
    if (found == data_.open_types.end()) return;
    const TensorType& type = found->second;
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(static_cast<int>(type.dtype));
    auto* shape = tensor->mutable_shape();
    for (size_t d = 0; d < type.shape.rank(); ++d) {
      auto* dim = shape->add_dim();
      if (type.shape[d] >= 0) {
        dim->set_dim_value(type.shape[d]);
      } else if (d < type.symbols.size() && !type.symbols[d].empty()) {
        dim->set_dim_param(type.symbols[d]);
      }
    }
  }

  /// As it was loaded, with no dimension open but what values decide.
  static void Declare(const Activation& activation, onnx::ValueInfoProto& info) {
    auto* tensor = info.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(static_cast<int>(activation.port.dtype));
    auto* shape = tensor->mutable_shape();
    for (const int64_t d : activation.port.shape) {
      auto* dim = shape->add_dim();
      if (!activation.data_dependent) dim->set_dim_value(d);
    }
  }

  void CopyBody() {
    auto* graph = half_.mutable_graph();
    // Constants that the whole lists among its inputs (all of them before IR version 4) stay there.
    for (const auto& input : whole_.input()) {
      const auto found = data_.constants.find(input.name());
      if (found != data_.constants.end() && initializers_.contains(found->second.initializer)) {
        *graph->add_input() = input;
      }
    }
    std::unordered_set<std::string> inside;
    for (const int i : data_.proto_order) {
      if (!nodes_.contains(i)) continue;
      *graph->add_node() = whole_.node(i);
      inside.insert(whole_.node(i).output().begin(), whole_.node(i).output().end());
    }
    for (const int i : sparse_) *graph->add_sparse_initializer() = whole_.sparse_initializer(i);
    for (const auto& port : graph->output()) inside.erase(port.name());
    for (const auto& info : whole_.value_info()) {
      if (inside.contains(info.name())) *graph->add_value_info() = info;
    }
    for (const auto& annotation : whole_.quantization_annotation()) {
      if (inside.contains(annotation.tensor_name()) ||
          constants_.contains(annotation.tensor_name())) {
        *graph->add_quantization_annotation() = annotation;
      }
    }
  }

  /// Local functions that the half calls, and those that these call.
  void CopyFunctions() {
    std::set<int> kept;
    std::vector<const onnx::NodeProto*> open;
    for (const auto& node : half_.graph().node()) open.push_back(&node);
    while (!open.empty()) {
      const onnx::NodeProto* node = open.back();
      open.pop_back();
      const auto look_inside = [&](const onnx::GraphProto& graph) {
        for (const auto& inner : graph.node()) open.push_back(&inner);
      };
      for (const auto& attribute : node->attribute()) {
        if (attribute.has_g()) look_inside(attribute.g());
        for (const auto& graph : attribute.graphs()) look_inside(graph);
      }
      for (int f = 0; f < data_.proto.functions_size(); ++f) {
        const auto& function = data_.proto.functions(f);
        if (function.name() != node->op_type() || function.domain() != node->domain()) continue;
        if (!kept.insert(f).second) continue;
        for (const auto& inner : function.node()) open.push_back(&inner);
      }
    }
    for (const int f : kept) *half_.add_functions() = data_.proto.functions(f);
  }

  const ModelData& data_;
  const onnx::GraphProto& whole_;
  std::set<int> nodes_, initializers_, sparse_;
  std::unordered_set<std::string> constants_;
  onnx::ModelProto half_;
};

std::vector<std::string> Names(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

Status Check(const Model& model, const Cut& cut) {
  if (cut.edge.size() == model.nodes().size()) return {};
  return Fail(ErrorCode::kConflict, model.where(), "is not the model that cut '{}' was made for",
              cut.name);
}

/// Where these tensors are in Model::activations().
Result<std::vector<int>> Named(const Model& model, std::span<const std::string> names) {
  std::vector<int> found;
  for (const std::string& name : names) {
    const int at = model.FindActivation(name);
    if (at < 0) return Fail(ErrorCode::kNotFound, model.where(), "has no tensor '{}'", name);
    if (std::ranges::find(found, at) != found.end()) {
      return Fail(ErrorCode::kUsage, model.where(), "is asked for '{}' twice", name);
    }
    found.push_back(at);
  }
  return found;
}

/// What is met on the way back from some tensors to those given.
struct Walk {
  std::vector<bool> reached, chosen;  // activations; nodes that run
};

/// Walks back from `wanted` to `given`, or to the model's inputs where nothing is given.
Result<Walk> Back(const Model& model, std::span<const int> given, std::span<const int> wanted) {
  const auto& tensors = model.activations();
  const auto name = [&](int a) -> const std::string& { return tensors[a].port.name; };
  Walk walk{std::vector<bool>(tensors.size()), std::vector<bool>(model.nodes().size())};
  std::vector<std::pair<int, int>> open;  // a tensor, and which of `wanted` needs it
  for (const int a : wanted) open.emplace_back(a, a);
  while (!open.empty()) {
    const auto [at, end] = open.back();
    open.pop_back();
    if (walk.reached[at]) continue;
    walk.reached[at] = true;
    const int producer = tensors[at].producer;
    if (std::ranges::find(given, at) != given.end()) continue;
    if (producer < 0 && !given.empty()) {
      return Fail(ErrorCode::kUsage, model.where(),
                  "needs its input '{}' for '{}': give it as well, or a tensor on the way",
                  name(at), name(end));
    }
    if (producer < 0) continue;
    walk.chosen[producer] = true;
    for (const int input : model.nodes()[producer].inputs) open.emplace_back(input, end);
  }
  for (const int a : given) {
    const int producer = tensors[a].producer;
    if (!walk.reached[a]) {
      return Fail(ErrorCode::kUsage, model.where(), "does not need '{}' for '{}'", name(a),
                  name(wanted[0]));
    }
    if (producer >= 0 && walk.chosen[producer]) {
      return Fail(ErrorCode::kUsage, model.where(),
                  "makes '{}' in layer '{}', of which another output is needed: give that, too",
                  name(a), model.nodes()[producer].name);
    }
  }
  return walk;
}

}  // namespace

Result<std::string> SlicePrefix(const Model& model, const Cut& cut) {
  FOGLINE_CHECK(Check(model, cut));
  if (cut.edge_nodes == 0) {
    return Fail(ErrorCode::kUsage, model.where(), "has no edge half at cut 0: the input crosses");
  }
  std::vector<std::string> inputs;
  for (const Activation& a : model.activations()) {
    if (a.producer >= 0) break;
    const bool read =
        std::ranges::any_of(a.readers, [&](int node) { return bool{cut.edge[node]}; });
    const bool crosses =
        std::ranges::find(cut.tensors, a.port.name, &Port::name) != cut.tensors.end();
    if (read || crosses) inputs.push_back(a.port.name);
  }
  return Slicer(model.data()).Write(cut.edge, inputs, Names(cut.tensors));
}

Result<std::string> SlicePiece(const Model& model, std::span<const std::string> from,
                               std::span<const std::string> to) {
  FOGLINE_TRY(const std::vector<int> given, Named(model, from));
  std::vector<std::string> ends(to.begin(), to.end());
  if (ends.empty()) ends = Names(model.outputs());
  FOGLINE_TRY(const std::vector<int> wanted, Named(model, ends));
  FOGLINE_TRY(const Walk walk, Back(model, given, wanted));
  std::vector<std::string> inputs(from.begin(), from.end());
  for (size_t a = 0; from.empty() && a < walk.reached.size(); ++a) {
    const Activation& activation = model.activations()[a];
    if (walk.reached[a] && activation.producer < 0) inputs.push_back(activation.port.name);
  }
  if (std::ranges::find(walk.chosen, true) == walk.chosen.end()) {
    return Fail(ErrorCode::kUsage, model.where(), "has no layer between '{}' and '{}'",
                fmt::join(inputs, ","), fmt::join(ends, ","));
  }
  return Slicer(model.data()).Write(walk.chosen, inputs, ends);
}

Result<std::string> SlicePieceAt(const Model& model, std::span<const std::string> from,
                                 std::span<const std::string> to) {
  std::vector<std::string> names[2];
  for (const auto& [specs, into] : {std::pair(from, &names[0]), std::pair(to, &names[1])}) {
    for (const std::string& spec : specs) {
      FOGLINE_TRY(const int tensor, FindTensor(model, spec));
      into->push_back(model.activations()[tensor].port.name);
    }
  }
  return SlicePiece(model, names[0], names[1]);
}

Result<std::string> SliceWhole(const Model& model) {
  Cut all;
  all.edge.assign(model.nodes().size(), true);
  all.edge_nodes = static_cast<int>(model.nodes().size());
  all.tensors = model.outputs();
  return SlicePrefix(model, all);
}

Result<std::string> SliceSuffix(const Model& model, const Cut& cut) {
  FOGLINE_CHECK(Check(model, cut));
  if (cut.edge_nodes == static_cast<int>(model.nodes().size())) {
    return Fail(ErrorCode::kUsage, model.where(),
                "has no cloud half at its last cut: the output crosses");
  }
  std::vector<bool> cloud = cut.edge;
  cloud.flip();
  return Slicer(model.data()).Write(cloud, Names(cut.tensors), Names(model.outputs()));
}

Result<std::string> SliceBetween(const Model& model, const Cut& from, const Cut& to) {
  FOGLINE_CHECK(Check(model, from));
  FOGLINE_CHECK(Check(model, to));
  std::vector<bool> between = to.edge;
  bool inside = from.edge_nodes < to.edge_nodes;
  for (size_t n = 0; n < between.size(); ++n) {
    inside = inside && (to.edge[n] || !from.edge[n]);
    between[n] = to.edge[n] && !from.edge[n];
  }
  if (!inside) {
    return Fail(ErrorCode::kUsage, model.where(), "has no layers between cut '{}' and cut '{}'",
                from.name, to.name);
  }
  std::vector<std::string> inputs, outputs;
  for (const int a : from.activations) {
    const Activation& activation = model.activations()[a];
    const bool read =
        std::ranges::any_of(activation.readers, [&](int node) { return bool{between[node]}; });
    if (read) inputs.push_back(activation.port.name);
  }
  for (const int a : to.activations) {
    const Activation& activation = model.activations()[a];
    if (activation.producer >= 0 && between[activation.producer]) {
      outputs.push_back(activation.port.name);
    }
  }
  return Slicer(model.data()).Write(between, inputs, outputs);
}

}  // namespace fogline
