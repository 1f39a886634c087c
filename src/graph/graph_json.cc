#include "graph/graph_json.h"

namespace fogline {
namespace {

/// [first, last] of each run of layers on the edge.
Json Runs(const std::vector<bool>& edge) {
  Json runs = Json::array();
  for (size_t n = 0; n < edge.size(); ++n) {
    if (!edge[n]) continue;
    const size_t first = n;
    while (n + 1 < edge.size() && edge[n + 1]) ++n;
    runs.push_back({first, n});
  }
  return runs;
}

Json LayersJson(const Model& model) {
  Json layers = Json::array();
  for (const Node& node : model.nodes()) {
    layers.push_back({{"name", node.name},
                      {"op", node.op},
                      {"madds", node.madds},
                      {"params", node.params},
                      {"block", node.block}});
  }
  return layers;
}

Json TensorsJson(const Model& model) {
  Json tensors = Json::array();
  for (const Activation& tensor : model.activations()) {
    tensors.push_back({{"name", tensor.port.name},
                       {"shape", tensor.port.shape.ToString()},
                       {"bytes", tensor.bytes()},
                       {"from", tensor.producer},
                       {"to", tensor.readers},
                       {"output", tensor.is_output}});
  }
  return tensors;
}

Json CutsJson(const std::vector<Cut>& cuts) {
  Json list = Json::array();
  for (const Cut& cut : cuts) {
    list.push_back({{"index", cut.index},
                    {"name", cut.name},
                    {"alias", cut.alias.empty() ? Json() : Json(cut.alias)},
                    {"mechanism", NameOf(cut.mechanism())},
                    {"bytes", cut.bytes},
                    {"crosses", cut.activations},
                    {"edge_layers", Runs(cut.edge)}});
  }
  return list;
}

}  // namespace

Json GraphJson(const Model& model, const std::vector<Cut>& cuts) {
  return {{"layers", LayersJson(model)}, {"tensors", TensorsJson(model)}, {"cuts", CutsJson(cuts)}};
}

}  // namespace fogline
