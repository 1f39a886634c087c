#include "graph/cut_space.h"

#include <algorithm>

#include "base/hash.h"
#include "graph/blocks.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

/// Nodes that some output needs when the tensors in `given` are there already. `trail`, if any,
/// gets for each such node the tensor through which it was reached.
std::vector<bool> NeededWithout(const Model& model, const std::vector<bool>& given,
                                std::vector<int>* trail = nullptr) {
  const auto& activations = model.activations();
  std::vector<bool> needed(model.nodes().size());
  std::vector<int> open;
  const auto visit = [&](int id) {
    const int maker = activations[id].producer;
    if (given[id] || maker < 0 || needed[maker]) return;
    needed[maker] = true;
    if (trail != nullptr) (*trail)[maker] = id;
    open.push_back(maker);
  };
  for (size_t id = 0; id < activations.size(); ++id) {
    if (activations[id].is_output) visit(static_cast<int>(id));
  }
  while (!open.empty()) {
    const int node = open.back();
    open.pop_back();
    for (const int id : model.nodes()[node].inputs) visit(id);
  }
  return needed;
}

}  // namespace

std::vector<int> Crossing(const Model& model, const std::vector<bool>& edge) {
  std::vector<int> crossing;
  const auto& activations = model.activations();
  for (size_t id = 0; id < activations.size(); ++id) {
    const Activation& a = activations[id];
    if (a.producer >= 0 && !edge[a.producer]) continue;
    if (a.is_output || std::ranges::any_of(a.readers, [&](int node) { return !edge[node]; })) {
      crossing.push_back(static_cast<int>(id));
    }
  }
  return crossing;
}

Result<std::vector<bool>> EdgeSide(const Model& model, std::span<const int> tensors) {
  const auto& nodes = model.nodes();
  const auto& activations = model.activations();
  std::vector<bool> given(activations.size());
  for (const int id : tensors) given[id] = true;
  std::vector<int> trail(nodes.size(), -1);
  const std::vector<bool> cloud = NeededWithout(model, given, &trail);
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorCode::kUsage, model.where(), "is not cut by these tensors: {}", why);
  };
  const auto layer = [&](int node) {
    return fmt::format("layer '{}' ({})", nodes[node].name, nodes[node].op);
  };

  for (const int id : tensors) {
    const int maker = activations[id].producer;
    if (maker >= 0 && cloud[maker]) {
      return refuse(fmt::format("the cloud must run {} anyway, for '{}', so '{}' need not cross",
                                layer(maker), activations[trail[maker]].port.name,
                                activations[id].port.name));
    }
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const int id : nodes[i].inputs) {
      const int maker = activations[id].producer;
      if (!cloud[i] && maker >= 0 && cloud[maker]) {
        return refuse(fmt::format("{} on the edge would need '{}' from the cloud",
                                  layer(static_cast<int>(i)), activations[id].port.name));
      }
      if (cloud[i] && maker < 0 && !given[id]) {
        return refuse(fmt::format("{} on the cloud would need the model's input '{}' too",
                                  layer(static_cast<int>(i)), activations[id].port.name));
      }
    }
  }
  std::vector<bool> edge(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) edge[i] = !cloud[i];
  const std::vector<int> crossing = Crossing(model, edge);
  for (const int id : crossing) {
    if (!given[id]) {
      return refuse(fmt::format("'{}' would have to cross too", activations[id].port.name));
    }
  }
  for (const int id : tensors) {
    if (!std::ranges::binary_search(crossing, id)) {
      return refuse(fmt::format("nothing on the cloud would read '{}'", activations[id].port.name));
    }
  }
  return edge;
}

Cut DescribeCut(const Model& model, std::vector<bool> edge, std::vector<int> crossing) {
  Cut cut;
  const auto& nodes = model.nodes();
  const ModelData& data = model.data();
  std::vector<bool> on_edge(data.read_constants.size()), in_cloud(data.read_constants.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    (edge[i] ? cut.edge_madds : cut.cloud_madds) += nodes[i].madds;
    cut.edge_nodes += edge[i] ? 1 : 0;
    for (const int constant : data.node_constants[i]) {
      auto counted = (edge[i] ? on_edge : in_cloud)[constant];
      if (counted) continue;
      counted = true;
      const Constant& c = data.read_constants[constant];
      if (edge[i]) cut.edge_params += c.params;
      (edge[i] ? cut.edge_weight_bytes : cut.cloud_weight_bytes) += c.bytes;
    }
  }
  const bool first = cut.edge_nodes == 0;
  const bool last = cut.edge_nodes == static_cast<int>(nodes.size());
  if (first || last) {
    cut.name = first ? "input" : "output";
    cut.tensors = first ? model.inputs() : model.outputs();
    for (const Port& port : cut.tensors) {
      if (const int id = model.FindActivation(port.name); id >= 0) cut.activations.push_back(id);
    }
  } else {
    cut.activations = std::move(crossing);
    for (const int id : cut.activations) cut.tensors.push_back(model.activations()[id].port);
  }
  std::vector<std::string> names;
  for (const Port& port : cut.tensors) {
    names.push_back(port.name);
    cut.bytes += port.Bytes().value_or(0);
  }
  cut.id = IdOfCut(names);
  for (const int id : cut.activations) {
    cut.data_dependent |= model.activations()[id].data_dependent;
  }
  if (cut.name.empty()) {
    cut.name = TensorSpec(model, cut.activations);
    if (cut.activations.size() == 1) cut.alias = PaperAlias(model, cut.activations[0]);
  }
  cut.edge = std::move(edge);
  return cut;
}

uint64_t IdOfCut(std::span<const std::string> tensors) {
  std::string joined;
  for (const std::string& name : tensors) {
    if (!joined.empty()) joined += '\n';
    joined += name;
  }
  const Sha256 hash = HashSha256(std::as_bytes(std::span(joined.data(), joined.size())));
  uint64_t id = 0;
  for (int i = 0; i < 8; ++i) id = id << 8 | hash[i];
  return id;
}

bool CanCross(const Model& model, std::span<const int> tensors) {
  return std::ranges::all_of(
      tensors, [&](int id) { return ElementBytes(model.activations()[id].port.dtype) > 0; });
}

bool CutsIntegerLayer(const Model& model, std::span<const int> tensors) {
  const auto is = [&](int node, const char* op) { return model.nodes()[node].op == op; };
  return std::ranges::any_of(tensors, [&](int id) {
    const Activation& a = model.activations()[id];
    if (a.producer < 0 || a.readers.empty()) return false;  // what goes in and comes out is float
    const auto quantises = [&](int node) { return is(node, "QuantizeLinear"); };
    return is(a.producer, "DequantizeLinear") || std::ranges::any_of(a.readers, quantises);
  });
}

}  // namespace fogline
