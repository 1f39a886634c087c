// Cuts against brute force: small graphs are generated whole and every subset of their nodes is
// tried.
#include "graph/cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <set>

#include "graph/cut_space.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

/// A graph without ONNX around it. Node i reads node j < i when bit (i, j) of `edges` is set, and
/// the model's input when it reads no node. Sinks are outputs. `seed` decides the sizes, further
/// outputs and which nodes read the input besides.
Model SmallModel(int count, uint32_t edges, uint32_t seed) {
  auto data = std::make_shared<ModelData>();
  data->where = "small";
  const auto random = [&seed] {
    seed = seed * 1664525U + 1013904223U;
    return seed >> 16;
  };
  const int inputs = random() % 6 == 0 ? 2 : 1;
  for (int i = 0; i < inputs; ++i) {
    Activation input;
    input.port = {"in" + std::to_string(i), DType::kU8, {1 + random() % 5}};
    data->inputs.push_back(input.port);
    data->activations.push_back(std::move(input));
  }
  for (int i = 0; i < count; ++i) {
    Node node;
    node.name = "n" + std::to_string(i);
    node.op = "Op";
    node.madds = random() % 4;
    for (int j = 0; j < i; ++j) {
      if ((edges >> (i * (i - 1) / 2 + j) & 1) == 0) continue;
      const auto& made = data->nodes[j].outputs;
      node.inputs.push_back(made[random() % made.size()]);
      if (made.size() > 1 && random() % 4 == 0) node.inputs.back() = made[0];
    }
    if (node.inputs.empty() ? random() % 12 != 0 : random() % 8 == 0) {
      node.inputs.insert(node.inputs.begin(), static_cast<int>(random() % inputs));
    }
    for (const int id : node.inputs) data->activations[id].readers.push_back(i);
    const int outputs = random() % 7 == 0 ? 2 : 1;
    for (int o = 0; o < outputs; ++o) {
      node.outputs.push_back(static_cast<int>(data->activations.size()));
      Activation made;
      made.port = {"t" + std::to_string(i) + std::string(o, '\''), DType::kU8, {1 + random() % 5}};
      made.producer = i;
      made.is_output = random() % 10 == 0;
      data->activations.push_back(std::move(made));
    }
    data->nodes.push_back(std::move(node));
  }
  data->node_constants.resize(count);
  for (size_t id = 0; id < data->activations.size(); ++id) {
    Activation& a = data->activations[id];
    data->activation_index[a.port.name] = static_cast<int>(id);
    if (a.producer >= 0 && a.readers.empty() &&
        data->nodes[a.producer].outputs[0] == static_cast<int>(id)) {
      a.is_output = true;
    }
    if (a.is_output) data->outputs.push_back(a.port);
  }
  return Model(std::move(data));
}

struct Brute {
  uint32_t edge = 0;
  std::vector<int> tensors;
  int64_t bytes = 0;
};

/// Every downward closed set, from the definition.
std::vector<Brute> BruteForce(const Model& model) {
  std::vector<Brute> cuts;
  const auto& nodes = model.nodes();
  const auto& activations = model.activations();
  std::vector<uint32_t> needs(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const int id : nodes[i].inputs) {
      if (activations[id].producer >= 0) needs[i] |= 1U << activations[id].producer;
    }
  }
  for (uint32_t set = 0; set < 1U << nodes.size(); ++set) {
    bool closed = true;
    for (size_t i = 0; i < nodes.size() && closed; ++i) {
      closed = (set >> i & 1) == 0 || (needs[i] & ~set) == 0;
    }
    if (!closed) continue;
    Brute cut{set, {}, 0};
    for (size_t id = 0; id < activations.size(); ++id) {
      const Activation& a = activations[id];
      if (a.producer >= 0 && (set >> a.producer & 1) == 0) continue;
      bool read = a.is_output;
      for (const int reader : a.readers) read |= (set >> reader & 1) == 0;
      if (!read) continue;
      cut.tensors.push_back(static_cast<int>(id));
      cut.bytes += a.bytes();
    }
    cuts.push_back(std::move(cut));
  }
  return cuts;
}

uint32_t Mask(const std::vector<bool>& edge) {
  uint32_t mask = 0;
  for (size_t i = 0; i < edge.size(); ++i) mask |= static_cast<uint32_t>(edge[i]) << i;
  return mask;
}

/// One graph: everything that cut.h promises, held against brute force. Returns what is wrong.
std::string Wrong(const Model& model) {
  const std::vector<Brute> brute = BruteForce(model);
  const uint32_t full = (1U << model.nodes().size()) - 1;
  CutOptions all_options;
  all_options.all = true;
  const auto all = ListCuts(model, all_options);
  const auto listed = ListCuts(model);
  if (!all || !listed) return "no list";

  std::map<uint32_t, const Cut*> found;
  for (const Cut& cut : *all) {
    if (!found.emplace(Mask(cut.edge), &cut).second) return "a cut twice";
  }
  if (found.size() != brute.size()) return "not all cuts";
  std::set<uint32_t> useful;
  for (const Brute& b : brute) {
    const auto at = found.find(b.edge);
    if (at == found.end()) return "a cut missing";
    // Cut 0 is the model as it is: inputs that nobody reads count among its own.
    if (b.edge != 0 || b.tensors.size() == model.inputs().size()) {
      if (at->second->activations != b.tensors) return "other tensors cross";
      if (at->second->bytes != b.bytes) return "other bytes";
    }
    bool below = false;
    bool above = false;
    for (const Brute& o : brute) {
      if (o.edge == b.edge || o.bytes > b.bytes) continue;
      below |= (o.edge & ~b.edge) == 0;
      above |= (b.edge & ~o.edge) == 0;
    }
    const bool end = b.edge == 0 || b.edge == full;
    if (!end && at->second->dominated != (below && above)) return "dominated or not";
    if (end || b.tensors.size() == 1 || !(below && above)) useful.insert(b.edge);
  }
  if (listed->size() != useful.size()) return "another list";

  // Tensors that are cuts by themselves, one by one.
  const std::vector<SingleCut> singles = SingleCuts(model);
  size_t wanted_singles = 0;
  for (const Brute& b : brute) {
    if (b.edge == 0 || b.edge == full || b.tensors.size() != 1) continue;
    ++wanted_singles;
    const auto at = std::ranges::find(singles, b.tensors[0], &SingleCut::activation);
    if (at == singles.end()) return "a single cut missing";
    if (Mask(at->edge) != b.edge || at->edge_nodes != std::popcount(b.edge)) {
      return "a single cut elsewhere";
    }
  }
  if (singles.size() != wanted_singles) return "other single cuts";
  for (size_t i = 0; i < listed->size(); ++i) {
    if (!useful.contains(Mask((*listed)[i].edge))) return "a useless cut listed";
    if ((*listed)[i].index != static_cast<int>(i)) return "indices out of order";
  }
  if (listed->front().edge_nodes != 0 || listed->back().cloud_madds != 0) return "ends";

  // Any choice of tensors is a cut exactly when some division sends just these.
  std::map<uint32_t, uint32_t> by_tensors;
  for (const Brute& b : brute) {
    uint32_t mask = 0;
    for (const int id : b.tensors) mask |= 1U << id;
    by_tensors[mask] = b.edge;
  }
  for (uint32_t mask = 1; mask < 1U << model.activations().size(); ++mask) {
    std::vector<int> tensors;
    for (size_t id = 0; id < model.activations().size(); ++id) {
      if ((mask >> id & 1) != 0) tensors.push_back(static_cast<int>(id));
    }
    const auto edge = EdgeSide(model, tensors);
    const auto wanted = by_tensors.find(mask);
    if (edge.has_value() != (wanted != by_tensors.end())) return "accepts other tensors";
    if (edge && Mask(*edge) != wanted->second) return "another division";
  }
  return {};
}

void TryAll(int count, uint32_t stride) {
  const uint32_t graphs = 1U << (count * (count - 1) / 2);
  for (uint32_t edges = 0; edges < graphs; edges += stride) {
    const Model model =
        SmallModel(count, edges, edges * 2654435761U + static_cast<uint32_t>(count));
    const std::string wrong = Wrong(model);
    ASSERT_EQ(wrong, "") << count << " nodes, edges " << edges;
  }
}

// Every graph of up to 6 nodes (as lower triangular matrices: 33,867 of them).
TEST(Cut, EqualsBruteForceOnAllGraphsUpToSixNodes) {
  for (int count = 1; count <= 6; ++count) TryAll(count, 1);
}

// All 2,097,152 of 7 nodes with FOGLINE_EXHAUSTIVE set, which takes minutes; else every 997th.
TEST(Cut, EqualsBruteForceOnGraphsOfSevenNodes) {
  TryAll(7, std::getenv("FOGLINE_EXHAUSTIVE") != nullptr ? 1 : 997);
}

/// `count` - 1 branches of one node between the input and the last node: 2 to their number of cuts.
Model WideModel(int count) {
  auto data = std::make_shared<ModelData>();
  data->where = "wide";
  data->activations.resize(1);
  data->activations[0].port = {"in", DType::kU8, {100}};
  for (int i = 0; i < count; ++i) {
    Node node;
    node.name = "n" + std::to_string(i);
    if (i + 1 < count) {
      node.inputs = {0};
    } else {
      for (int j = 1; j < count; ++j) node.inputs.push_back(j);
    }
    node.outputs = {i + 1};
    for (const int id : node.inputs) data->activations[id].readers.push_back(i);
    Activation made;
    made.port = {"t" + std::to_string(i), DType::kU8, {3}};
    made.producer = i;
    made.is_output = i + 1 == count;
    data->activations.push_back(made);
    data->nodes.push_back(node);
  }
  for (size_t id = 0; id < data->activations.size(); ++id) {
    data->activation_index[data->activations[id].port.name] = static_cast<int>(id);
  }
  data->inputs = {data->activations[0].port};
  data->outputs = {data->activations[count].port};
  data->node_constants.resize(count);
  return Model(std::move(data));
}

TEST(Cut, SweepsAStretchWithTooManyCuts) {
  const Model model = WideModel(17);
  const auto cuts = ListCuts(model);
  ASSERT_TRUE(cuts);
  EXPECT_GE(cuts->size(), 2U);
  EXPECT_LE(cuts->size(), 19U);
  CutOptions fewer;
  fewer.most_per_stretch = 10;
  EXPECT_LE(ListCuts(model, fewer)->size(), 19U);
  // What is not listed can still be named: with branch 3 alone on the edge, the input crosses too.
  const auto named = FindCut(model, "in,t3");
  ASSERT_TRUE(named) << named.error().ToString();
  EXPECT_EQ(named->edge_nodes, 1);
  EXPECT_EQ(named->bytes, 103);
}

TEST(Cut, RefusesToListMillions) {
  const Model model = WideModel(25);
  EXPECT_TRUE(ListCuts(model));
  CutOptions all;
  all.all = true;
  const auto cuts = ListCuts(model, all);
  ASSERT_FALSE(cuts);
  EXPECT_EQ(cuts.error().code, ErrorCode::kExhausted);
}

TEST(Cut, NamesWhatStandsInTheWay) {
  // n0 reads the input; n1 and n2 read n0; n3 joins them.
  const Model model = SmallModel(4, 0b110011, 7);
  const auto unknown = FindCut(model, "t9");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_NE(unknown.error().message.find("did you mean 't"), std::string::npos);
  const auto past = FindCut(model, "99");
  ASSERT_FALSE(past);
  EXPECT_NE(past.error().message.find("from 0 to"), std::string::npos);
}

}  // namespace
}  // namespace fogline
