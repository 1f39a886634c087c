// Every cut at which one tensor crosses, found in one pass over the layers.
//
// A tensor t alone is a cut when the layers of which every path to an output leads through t (those
// that t *post-dominates*) need nothing else: neither a layer outside of them nor another input of
// the model. In the tree of post-dominators the layers behind t are the subtree of t, so that all
// of this is counted by sums over subtrees.
#include <algorithm>
#include <cstdint>

#include "graph/cut_space.h"

namespace fogline {
namespace {

/// A tree that grows by leaves and finds the lowest common ancestor of two vertices in logarithmic
/// time, by jumps whose lengths depend on the depth alone (Myers 1983, "An applicative
/// random-access stack").
class GrowingTree {
 public:
  explicit GrowingTree(size_t vertices) : parent_(vertices, -1), jump_(vertices), depth_(vertices) {
    Plant(0);
  }

  void Add(int v, int parent) {
    const int j = jump_[parent];
    const bool far = depth_[parent] - depth_[j] == depth_[j] - depth_[jump_[j]];
    parent_[v] = parent;
    jump_[v] = far ? jump_[j] : parent;
    depth_[v] = depth_[parent] + 1;
    order_.push_back(v);
  }

  int CommonAncestor(int a, int b) const {
    if (depth_[a] < depth_[b]) std::swap(a, b);
    while (depth_[a] > depth_[b]) a = depth_[jump_[a]] >= depth_[b] ? jump_[a] : parent_[a];
    while (a != b) {
      const bool apart = jump_[a] != jump_[b];
      a = apart ? jump_[a] : parent_[a];
      b = apart ? jump_[b] : parent_[b];
    }
    return a;
  }

  /// -1 for the root and for what was never added.
  int parent(int v) const { return parent_[v]; }
  bool Holds(int v) const { return v == 0 || parent_[v] >= 0; }
  /// Parents before their children.
  const std::vector<int>& order() const { return order_; }

  /// Each vertex's value becomes the sum over its subtree.
  void SumSubtrees(std::vector<int64_t>& values) const {
    for (size_t i = order_.size(); i-- > 1;) values[parent_[order_[i]]] += values[order_[i]];
  }

 private:
  void Plant(int root) {
    jump_[root] = root;
    depth_[root] = 0;
    order_.push_back(root);
  }

  std::vector<int> parent_, jump_, depth_, order_;
};

class PostDominators {
 public:
  explicit PostDominators(const Model& model)
      : nodes_(model.nodes()),
        activations_(model.activations()),
        tree_(1 + nodes_.size() + activations_.size()) {
    for (size_t n = nodes_.size(); n-- > 0;) {
      for (const int id : nodes_[n].outputs) AddActivation(id);
      int over = -1;
      for (const int id : nodes_[n].outputs) Meet(over, OfActivation(id));
      if (over >= 0) tree_.Add(OfNode(static_cast<int>(n)), over);
    }
    for (size_t id = 0; id < activations_.size(); ++id) {
      if (activations_[id].producer < 0) AddActivation(static_cast<int>(id));
    }
  }

  std::vector<SingleCut> Cuts() const {
    const size_t vertices = 1 + nodes_.size() + activations_.size();
    std::vector<int64_t> layers(vertices), inputs(vertices), missing(vertices);
    int64_t all_inputs = 0;
    for (size_t id = 0; id < activations_.size(); ++id) {
      const int v = OfActivation(static_cast<int>(id));
      if (activations_[id].producer >= 0 || !tree_.Holds(v)) continue;
      inputs[v] = 1;
      ++all_inputs;
    }
    for (size_t n = 0; n < nodes_.size(); ++n) {
      const int v = OfNode(static_cast<int>(n));
      layers[v] += 1;
      // A layer in a subtree whose maker is outside: +1 below it, taken back where both are in.
      for (const int id : nodes_[n].inputs) {
        const int maker = activations_[id].producer;
        if (maker < 0) continue;
        missing[v] += 1;
        missing[tree_.CommonAncestor(v, OfNode(maker))] -= 1;
      }
    }
    for (auto* values : {&layers, &inputs, &missing}) tree_.SumSubtrees(*values);

    // All layers, those of one subtree side by side: each vertex's begin at `first`.
    std::vector<int64_t> first(vertices), next(vertices);
    std::vector<int> side_by_side(nodes_.size());
    for (const int v : tree_.order()) {
      if (v > 0) {
        first[v] = next[tree_.parent(v)];
        next[tree_.parent(v)] += layers[v];
      }
      next[v] = first[v];
      if (v == 0 || v > static_cast<int>(nodes_.size())) continue;
      side_by_side[first[v]] = v - 1;
      ++next[v];
    }
    std::vector<SingleCut> cuts;
    for (size_t id = 0; id < activations_.size(); ++id) {
      const int v = OfActivation(static_cast<int>(id));
      const int maker = activations_[id].producer;
      if (!tree_.Holds(v) || inputs[v] != all_inputs || missing[v] != 0 || layers[v] == 0 ||
          layers[v] == static_cast<int64_t>(nodes_.size()) ||
          (maker >= 0 && tree_.parent(OfNode(maker)) != v)) {
        continue;
      }
      cuts.push_back({static_cast<int>(id), {}, static_cast<int>(layers[v])});
    }
    std::ranges::stable_sort(cuts, {}, &SingleCut::edge_nodes);
    // Each edge side holds that of the cut before, as a rule: it is copied and added to.
    std::vector<bool> edge(nodes_.size());
    int64_t from = 0, to = 0;
    for (SingleCut& cut : cuts) {
      const int v = OfActivation(cut.activation);
      const int64_t start = first[v], end = first[v] + layers[v];
      if (start > from || end < to) {
        edge.assign(nodes_.size(), false);
        from = to = start;
      }
      if (from == to) from = to = start;
      for (int64_t k = start; k < from; ++k) edge[side_by_side[k]] = true;
      for (int64_t k = to; k < end; ++k) edge[side_by_side[k]] = true;
      from = start;
      to = end;
      cut.edge = edge;
    }
    return cuts;
  }

 private:
  // Vertex 0 is where all outputs lead.
  static int OfNode(int n) { return 1 + n; }
  int OfActivation(int id) const { return static_cast<int>(1 + nodes_.size()) + id; }

  /// `over` becomes the first vertex that both lead to; -1 is none yet.
  void Meet(int& over, int v) const {
    if (!tree_.Holds(v)) return;
    over = over < 0 ? v : tree_.CommonAncestor(over, v);
  }

  void AddActivation(int id) {
    int over = activations_[id].is_output ? 0 : -1;
    for (const int reader : activations_[id].readers) Meet(over, OfNode(reader));
    if (over >= 0) tree_.Add(OfActivation(id), over);
  }

  const std::vector<Node>& nodes_;
  const std::vector<Activation>& activations_;
  GrowingTree tree_;
};

}  // namespace

std::vector<SingleCut> SingleCuts(const Model& model) { return PostDominators(model).Cuts(); }

}  // namespace fogline
