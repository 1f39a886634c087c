#include "graph/inline.h"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fogline {
namespace {

using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;

// Functions that call others twice over double with each of them: what is past this is no network.
constexpr int64_t kMostNodes = 200'000;
constexpr size_t kMostBytes = size_t{1} << 28;
constexpr size_t kDeepest = 64;

// Fields that came after the ONNX that Debian ships; protobuf keeps them as unknown ones.
constexpr int kNodeOverload = 8;
constexpr int kFunctionOverload = 13;
constexpr int kFunctionDefault = 11;  // an AttributeProto: a parameter with its default

using Id = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
using Renames = std::unordered_map<std::string, std::string>;

std::string Domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

template <typename Message>
std::string UnknownText(const Message& message, int number) {
  const auto& fields = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      return field.length_delimited();
    }
  }
  return {};
}

Id IdOf(const FunctionProto& f) {
  return {Domain(f.domain()), f.name(), UnknownText(f, kFunctionOverload)};
}
Id IdOf(const NodeProto& node) {
  return {Domain(node.domain()), node.op_type(), UnknownText(node, kNodeOverload)};
}

/// Calls `visit` for each graph among the node's attributes.
template <typename Node, typename Visit>
void ForEachGraph(Node& node, const Visit& visit) {
  if constexpr (std::is_const_v<Node>) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) visit(attribute.g());
      for (const auto& graph : attribute.graphs()) visit(graph);
    }
  } else {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) visit(*attribute.mutable_g());
      for (auto& graph : *attribute.mutable_graphs()) visit(graph);
    }
  }
}

/// Calls `visit` for each of `nodes` and of those in their graphs.
template <typename Nodes, typename Visit>
void ForEachNode(const Nodes& nodes, const Visit& visit) {
  for (const NodeProto& node : nodes) {
    visit(node);
    ForEachGraph(node, [&](const GraphProto& graph) { ForEachNode(graph.node(), visit); });
  }
}

class Inliner {
 public:
  Inliner(ModelProto& model, const std::string& where) : model_(model), where_(where) {}

  Status Inline() {
    for (const FunctionProto& f : model_.functions()) functions_.try_emplace(IdOf(f), &f);
    for (const auto& import : model_.opset_import()) {
      versions_.try_emplace(Domain(import.domain()), import.version());
    }
    CollectNames(model_.graph());
    FOGLINE_CHECK(InlineGraph(*model_.mutable_graph()));
    DropFunctions();
    return {};
  }

 private:
  /// Names in use, and how often each has been asked for anew.
  using Known = std::unordered_map<std::string, int>;

  void CollectNames(const GraphProto& graph) {
    for (const auto& input : graph.input()) names_.try_emplace(input.name(), 1);
    for (const auto& tensor : graph.initializer()) names_.try_emplace(tensor.name(), 1);
    for (const auto& tensor : graph.sparse_initializer())
      names_.try_emplace(tensor.values().name(), 1);
    for (const auto& node : graph.node()) {
      for (const std::string& name : node.output()) names_.try_emplace(name, 1);
      layers_.try_emplace(node.name(), 1);
      ForEachGraph(node, [&](const GraphProto& inner) { CollectNames(inner); });
    }
  }

  Status InlineGraph(GraphProto& graph) {
    google::protobuf::RepeatedPtrField<NodeProto> nodes;
    nodes.Swap(graph.mutable_node());
    for (NodeProto& node : nodes) FOGLINE_CHECK(Place(std::move(node), *graph.mutable_node()));
    return {};
  }

  /// Adds a node to `out`, or what it calls.
  Status Place(NodeProto node, google::protobuf::RepeatedPtrField<NodeProto>& out) {
    const auto found = functions_.find(IdOf(node));
    if (found == functions_.end() || !Fits(*found->second)) {
      Status inner;
      ForEachGraph(node, [&](GraphProto& graph) {
        if (inner) inner = InlineGraph(graph);
      });
      FOGLINE_CHECK(inner);
      *out.Add() = std::move(node);
      return {};
    }
    const FunctionProto& function = *found->second;
    const auto fail = [&](const char* why) {
      return Fail(ErrorCode::kInvalid, where_, "its function '{}' {}", function.name(), why);
    };
    if (!open_.insert(&function).second) return fail("calls itself");
    if (open_.size() > kDeepest) return fail("is called too deep within others");
    if (node.input_size() > function.input_size() || node.output_size() > function.output_size()) {
      return fail("is called with more inputs or outputs than it has");
    }
    FOGLINE_TRY(auto body, Body(function, node));
    for (const NodeProto& inner : body) {
      bytes_ += inner.ByteSizeLong();
      if (++nodes_ > kMostNodes || bytes_ > kMostBytes) return fail("expands beyond all bounds");
    }
    for (NodeProto& inner : body) FOGLINE_CHECK(Place(std::move(inner), out));
    open_.erase(&function);
    return {};
  }

  /// Whether the body means the same among the model's operator sets; takes in those that are new.
  bool Fits(const FunctionProto& function) {
    // Which of two the engine takes, a standard operator or a function of that name, is its affair.
    if (Domain(function.domain()).empty()) return false;
    std::map<std::string, int64_t> wanted;
    for (const auto& import : function.opset_import()) {
      wanted[Domain(import.domain())] = import.version();
    }
    std::map<std::string, int64_t> fresh;
    bool fits = true;
    ForEachNode(function.node(), [&](const NodeProto& node) {
      const auto version = wanted.find(Domain(node.domain()));
      if (version == wanted.end() || functions_.contains(IdOf(node))) return;
      const auto ours = versions_.find(version->first);
      if (ours == versions_.end()) {
        fresh.insert(*version);
      } else {
        fits &= ours->second == version->second;
      }
    });
    if (!fits) return false;
    for (const auto& [domain, version] : fresh) {
      versions_[domain] = version;
      auto* import = model_.add_opset_import();
      import->set_domain(domain);
      import->set_version(version);
    }
    return true;
  }

  /// The function's nodes as this call wants them, with the caller's names and attributes.
  Result<google::protobuf::RepeatedPtrField<NodeProto>> Body(const FunctionProto& function,
                                                             const NodeProto& call) {
    const std::string prefix = NameOf(call) + "/";
    Renames renames;
    for (int i = 0; i < function.input_size(); ++i) {
      renames[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    }
    std::unordered_set<std::string> made;
    for (const auto& node : function.node()) {
      made.insert(node.output().begin(), node.output().end());
    }
    google::protobuf::RepeatedPtrField<NodeProto> body;
    std::vector<std::pair<std::string, std::string>> copies;  // what leaves under a second name
    for (int i = 0; i < call.output_size(); ++i) {
      if (call.output(i).empty()) continue;
      const std::string& formal = function.output(i);
      if (made.contains(formal) && renames.try_emplace(formal, call.output(i)).second) continue;
      copies.emplace_back(formal, call.output(i));
    }
    for (const std::string& name : made) {
      if (!name.empty()) renames.try_emplace(name, std::string());
    }
    // Named in the order of the body, so that two loads of one file agree.
    for (const auto& node : function.node()) {
      for (const std::string& name : node.output()) {
        if (!name.empty() && renames[name].empty()) renames[name] = Fresh(names_, prefix + name);
      }
    }
    const std::vector<AttributeProto> parameters = Parameters(function, call);
    for (const auto& node : function.node()) {
      NodeProto& inner = *body.Add() = node;
      FOGLINE_CHECK(Rename(inner, renames, prefix));
      Substitute(inner, parameters);
      inner.set_name(Fresh(layers_, prefix + NameOf(node)));
    }
    for (const auto& [formal, name] : copies) {
      const auto source = renames.find(formal);
      if (source == renames.end() || source->second.empty()) {
        return Fail(ErrorCode::kInvalid, where_, "its function '{}' does not make its output '{}'",
                    function.name(), formal);
      }
      NodeProto& copy = *body.Add();
      copy.set_op_type("Identity");
      copy.set_name(Fresh(layers_, prefix + formal));
      copy.add_input(source->second);
      copy.add_output(name);
    }
    return body;
  }

  static std::string NameOf(const NodeProto& node) {
    if (!node.name().empty()) return node.name();
    for (const std::string& name : node.output()) {
      if (!name.empty()) return name;
    }
    return node.op_type();
  }

  static std::string Fresh(Known& known, const std::string& wanted) {
    if (known.try_emplace(wanted, 1).second) return wanted;
    for (;;) {
      std::string name = wanted + "_" + std::to_string(++known[wanted]);
      if (known.try_emplace(name, 1).second) return name;
    }
  }

  /// `renames` applied to what the node reads and makes; names of its own graphs become fresh.
  Status Rename(NodeProto& node, const Renames& renames, const std::string& prefix) {
    const auto rename = [&](std::string& name) -> Status {
      if (name.empty()) return {};
      const auto found = renames.find(name);
      if (found == renames.end()) {
        return Fail(ErrorCode::kInvalid, where_,
                    "layer '{}{}' ({}) reads '{}', which nothing makes", prefix, NameOf(node),
                    node.op_type(), name);
      }
      name = found->second;
      return {};
    };
    for (std::string& name : *node.mutable_input()) FOGLINE_CHECK(rename(name));
    for (std::string& name : *node.mutable_output()) FOGLINE_CHECK(rename(name));
    Status inside;
    ForEachGraph(node, [&](GraphProto& graph) {
      if (inside) inside = RenameGraph(graph, renames, prefix);
    });
    return inside;
  }

  Status RenameGraph(GraphProto& graph, Renames renames, const std::string& prefix) {
    const auto own = [&](const std::string& name) {
      if (!name.empty()) renames[name] = Fresh(names_, prefix + name);
    };
    for (const auto& input : graph.input()) own(input.name());
    for (const auto& tensor : graph.initializer()) {
      if (std::ranges::none_of(graph.input(),
                               [&](const auto& input) { return input.name() == tensor.name(); })) {
        own(tensor.name());
      }
    }
    for (const auto& tensor : graph.sparse_initializer()) own(tensor.values().name());
    for (const auto& node : graph.node()) {
      for (const std::string& name : node.output()) own(name);
    }
    for (auto& input : *graph.mutable_input()) input.set_name(renames[input.name()]);
    for (auto& tensor : *graph.mutable_initializer()) tensor.set_name(renames[tensor.name()]);
    for (auto& tensor : *graph.mutable_sparse_initializer()) {
      tensor.mutable_values()->set_name(renames[tensor.values().name()]);
    }
    for (auto& node : *graph.mutable_node()) {
      FOGLINE_CHECK(Rename(node, renames, prefix));
      if (!node.name().empty()) node.set_name(Fresh(layers_, prefix + node.name()));
    }
    for (auto& output : *graph.mutable_output()) {
      const auto found = renames.find(output.name());
      if (found != renames.end()) output.set_name(found->second);
    }
    graph.clear_value_info();
    graph.clear_quantization_annotation();
    return {};
  }

  /// What the call gives for the function's parameters, else their defaults.
  static std::vector<AttributeProto> Parameters(const FunctionProto& function,
                                                const NodeProto& call) {
    std::vector<AttributeProto> given(call.attribute().begin(), call.attribute().end());
    const auto& unknown = function.GetReflection()->GetUnknownFields(function);
    for (int i = 0; i < unknown.field_count(); ++i) {
      const auto& field = unknown.field(i);
      AttributeProto attribute;
      if (field.number() != kFunctionDefault ||
          field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED ||
          !attribute.ParseFromString(field.length_delimited())) {
        continue;
      }
      if (std::ranges::none_of(
              given, [&](const auto& known) { return known.name() == attribute.name(); })) {
        given.push_back(std::move(attribute));
      }
    }
    return given;
  }

  /// Attributes that name a parameter become what the call gives; those without a value go.
  static void Substitute(NodeProto& node, const std::vector<AttributeProto>& parameters) {
    google::protobuf::RepeatedPtrField<AttributeProto> kept;
    for (AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.ref_attr_name().empty()) {
        *kept.Add() = std::move(attribute);
        continue;
      }
      for (const AttributeProto& parameter : parameters) {
        if (parameter.name() != attribute.ref_attr_name()) continue;
        AttributeProto& value = *kept.Add() = parameter;
        value.set_name(attribute.name());
        break;
      }
    }
    node.mutable_attribute()->Swap(&kept);
    ForEachGraph(node, [&](GraphProto& graph) {
      for (NodeProto& inner : *graph.mutable_node()) Substitute(inner, parameters);
    });
  }

  /// Keeps the functions that are still called, and the operator sets that are still used.
  void DropFunctions() {
    std::set<Id> called;
    std::set<std::string> domains;
    std::vector<const FunctionProto*> open;
    const auto note = [&](const NodeProto& node) {
      domains.insert(Domain(node.domain()));
      const auto found = functions_.find(IdOf(node));
      if (found != functions_.end() && called.insert(found->first).second) {
        open.push_back(found->second);
      }
    };
    ForEachNode(model_.graph().node(), note);
    while (!open.empty()) {
      const FunctionProto* function = open.back();
      open.pop_back();
      ForEachNode(function->node(), note);
    }
    std::set<std::string> emptied;
    for (const auto& [id, function] : functions_) {
      if (!domains.contains(std::get<0>(id))) emptied.insert(std::get<0>(id));
    }
    auto* imports = model_.mutable_opset_import();
    imports->erase(std::remove_if(imports->begin(), imports->end(),
                                  [&](const auto& import) {
                                    return emptied.contains(Domain(import.domain()));
                                  }),
                   imports->end());
    functions_.clear();
    auto* functions = model_.mutable_functions();
    functions->erase(std::remove_if(functions->begin(), functions->end(),
                                    [&](const auto& f) { return !called.contains(IdOf(f)); }),
                     functions->end());
  }

  ModelProto& model_;
  const std::string& where_;
  std::map<Id, const FunctionProto*> functions_;
  std::map<std::string, int64_t> versions_;  // by domain
  Known names_;                              // every tensor's so far
  Known layers_;                             // every node's
  std::set<const FunctionProto*> open_;      // being expanded
  int64_t nodes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

Status InlineFunctions(ModelProto& model, const std::string& where) {
  if (model.functions_size() == 0) return {};
  return Inliner(model, where).Inline();
}

bool CallsFunction(const ModelProto& model, const NodeProto& node) {
  return std::ranges::any_of(model.functions(),
                             [&](const FunctionProto& f) { return IdOf(f) == IdOf(node); });
}

}  // namespace fogline
