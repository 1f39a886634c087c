// From a list of ONNX nodes to a graph of layers: who makes and reads which tensor, in which order,
// and what is constant.
#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <set>
#include <unordered_set>

#include "base/text.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

/// Operators whose result differs from run to run: never folded into constants.
bool IsRandom(const onnx::NodeProto& node) {
  static constexpr std::array kRandom = {"RandomNormal",      "RandomUniform", "RandomNormalLike",
                                         "RandomUniformLike", "Multinomial",   "Bernoulli"};
  if (std::ranges::any_of(kRandom, [&](const char* op) { return node.op_type() == op; })) {
    return true;
  }
  for (const auto& attribute : node.attribute()) {
    const auto inside = [](const onnx::GraphProto& graph) {
      return std::ranges::any_of(graph.node(), IsRandom);
    };
    if (inside(attribute.g()) || std::ranges::any_of(attribute.graphs(), inside)) return true;
  }
  return false;
}

void AddCaptured(const onnx::GraphProto& graph, std::vector<std::string>& names) {
  std::unordered_set<std::string> own;
  for (const auto& input : graph.input()) own.insert(input.name());
  for (const auto& tensor : graph.initializer()) own.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) own.insert(tensor.values().name());
  for (const auto& node : graph.node()) own.insert(node.output().begin(), node.output().end());
  for (const auto& node : graph.node()) {
    for (const std::string& name : NamesRead(node)) {
      if (!own.contains(name)) names.push_back(name);
    }
  }
  for (const auto& output : graph.output()) {
    if (!own.contains(output.name())) names.push_back(output.name());
  }
}

class Builder {
 public:
  explicit Builder(ModelData& data) : data_(data), graph_(data.proto.graph()) {}

  Status Build() {
    FOGLINE_CHECK(FindConstants());
    FOGLINE_CHECK(FindMakers());
    FOGLINE_CHECK(Order());
    FoldConstants();
    return NameLayers();
  }

 private:
  Status FindConstants() {
    for (int i = 0; i < graph_.initializer_size(); ++i) {
      data_.constants[graph_.initializer(i).name()].initializer = i;
    }
    for (int i = 0; i < graph_.sparse_initializer_size(); ++i) {
      data_.constants[graph_.sparse_initializer(i).values().name()].sparse = i;
    }
    for (const auto& input : graph_.input()) {
      if (input.name().empty()) {
        return Fail(ErrorCode::kInvalid, data_.where, "has an input without a name");
      }
      // Older models list their initialisers among the inputs.
      if (data_.constants.contains(input.name())) continue;
      if (!data_.activation_index
               .try_emplace(input.name(), static_cast<int>(data_.activations.size()))
               .second) {
        return Fail(ErrorCode::kInvalid, data_.where, "has two inputs named '{}'", input.name());
      }
      Activation activation;
      activation.port.name = input.name();
      data_.activations.push_back(std::move(activation));
    }
    return {};
  }

  Status FindMakers() {
    reads_.resize(graph_.node_size());
    for (int i = 0; i < graph_.node_size(); ++i) {
      for (const std::string& name : graph_.node(i).output()) {
        if (name.empty()) continue;
        if (data_.constants.contains(name) || data_.activation_index.contains(name) ||
            !maker_.try_emplace(name, i).second) {
          return Fail(ErrorCode::kInvalid, data_.where, "{} makes '{}', which exists already",
                      Describe(graph_.node(i)), name);
        }
      }
    }
    for (int i = 0; i < graph_.node_size(); ++i) {
      reads_[i] = NamesRead(graph_.node(i));
      for (const std::string& name : reads_[i]) {
        if (!maker_.contains(name) && !data_.constants.contains(name) &&
            !data_.activation_index.contains(name)) {
          return Fail(ErrorCode::kInvalid, data_.where, "{} reads '{}', which nothing makes",
                      Describe(graph_.node(i)), name);
        }
      }
    }
    for (const auto& output : graph_.output()) {
      if (!maker_.contains(output.name()) && !data_.constants.contains(output.name()) &&
          !data_.activation_index.contains(output.name())) {
        return Fail(ErrorCode::kInvalid, data_.where, "nothing makes its output '{}'",
                    output.name());
      }
    }
    return {};
  }

  /// Kahn's algorithm; of the nodes that are ready, the first in the file goes first.
  Status Order() {
    std::vector<int> waits(graph_.node_size());
    std::vector<std::vector<int>> next(graph_.node_size());
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (int i = 0; i < graph_.node_size(); ++i) {
      for (const std::string& name : reads_[i]) {
        if (const auto made = maker_.find(name); made != maker_.end()) {
          next[made->second].push_back(i);
          ++waits[i];
        }
      }
      if (waits[i] == 0) ready.push(i);
    }
    std::vector<int>& order = data_.proto_order;
    while (!ready.empty()) {
      const int i = ready.top();
      ready.pop();
      order.push_back(i);
      for (const int reader : next[i]) {
        if (--waits[reader] == 0) ready.push(reader);
      }
    }
    if (static_cast<int>(order.size()) == graph_.node_size()) return {};
    // Not every node that waits is on the cycle; walking back from one ends on it.
    int at =
        static_cast<int>(std::ranges::find_if(waits, [](int n) { return n > 0; }) - waits.begin());
    for (int step = 0; step < graph_.node_size(); ++step) {
      for (const std::string& name : reads_[at]) {
        const auto made = maker_.find(name);
        if (made != maker_.end() && waits[made->second] > 0) {
          at = made->second;
          break;
        }
      }
    }
    return Fail(ErrorCode::kInvalid, data_.where, "is cyclic: {} waits for its own output",
                Describe(graph_.node(at)));
  }

  void FoldConstants() {
    for (const int i : data_.proto_order) {
      const auto& node = graph_.node(i);
      const bool constant =
          !IsRandom(node) && std::ranges::all_of(reads_[i], [&](const std::string& name) {
            return data_.constants.contains(name);
          });
      if (!constant) {
        layers_.push_back(i);
        continue;
      }
      for (const std::string& name : node.output()) {
        if (!name.empty()) data_.constants[name].node = i;
      }
    }
    // What no output needs is not there.
    std::unordered_set<std::string> needed;
    for (const auto& output : graph_.output()) needed.insert(output.name());
    std::vector<int> live;
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      const int i = *layer;
      const auto& made = graph_.node(i).output();
      if (std::ranges::none_of(made, [&](const auto& name) { return needed.contains(name); })) {
        continue;
      }
      live.push_back(i);
      needed.insert(reads_[i].begin(), reads_[i].end());
    }
    std::ranges::reverse(live);
    layers_ = std::move(live);
  }

  Status NameLayers() {
    if (layers_.empty()) {
      return Fail(ErrorCode::kInvalid, data_.where,
                  "has no layer that leads from an input to an output");
    }
    for (const int i : layers_) {
      const auto& proto = graph_.node(i);
      const int index = static_cast<int>(data_.nodes.size());
      Node node;
      node.name = NodeName(proto);
      const bool standard = proto.domain().empty() || proto.domain() == "ai.onnx";
      node.op = standard ? proto.op_type() : proto.domain() + "." + proto.op_type();
      std::set<int> constants;
      std::set<int> inputs;
      for (const std::string& name : reads_[i]) {
        if (const auto found = data_.activation_index.find(name);
            found != data_.activation_index.end()) {
          if (inputs.insert(found->second).second) {
            node.inputs.push_back(found->second);
            data_.activations[found->second].readers.push_back(index);
          }
        } else {
          const auto [known, fresh] = data_.read_constant_index.try_emplace(
              name, static_cast<int>(data_.read_constants.size()));
          if (fresh) data_.read_constants.push_back({{name, DType::kUndefined, {}}, 0});
          constants.insert(known->second);
        }
      }
      for (const std::string& name : proto.output()) {
        if (name.empty()) continue;
        const int id = static_cast<int>(data_.activations.size());
        data_.activation_index[name] = id;
        Activation activation;
        activation.port.name = name;
        activation.producer = index;
        data_.activations.push_back(std::move(activation));
        node.outputs.push_back(id);
      }
      data_.nodes.push_back(std::move(node));
      data_.proto_nodes.push_back(i);
      data_.node_constants.emplace_back(constants.begin(), constants.end());
    }
    for (const auto& output : graph_.output()) {
      if (const auto found = data_.activation_index.find(output.name());
          found != data_.activation_index.end()) {
        data_.activations[found->second].is_output = true;
      }
    }
    return {};
  }

  ModelData& data_;
  const onnx::GraphProto& graph_;
  std::unordered_map<std::string, int> maker_;
  std::vector<std::vector<std::string>> reads_;
  std::vector<int> layers_;
};

}  // namespace

std::vector<std::string> NamesRead(const onnx::NodeProto& node) {
  std::vector<std::string> names;
  for (const std::string& name : node.input()) {
    if (!name.empty()) names.push_back(name);
  }
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) AddCaptured(attribute.g(), names);
    for (const auto& graph : attribute.graphs()) AddCaptured(graph, names);
  }
  return names;
}

std::string NodeName(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const std::string& name : node.output()) {
    if (!name.empty()) return name;
  }
  return node.op_type();
}

std::string Describe(const onnx::NodeProto& node) {
  return fmt::format("layer '{}' ({})", NodeName(node), node.op_type());
}

Status BuildTopology(ModelData& data) { return Builder(data).Build(); }

}  // namespace fogline
