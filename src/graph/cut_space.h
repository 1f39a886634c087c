// The rules of cutting, without names or bytes to report: which tensors cross for a set of nodes on
// the edge, and which set a choice of tensors means.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// Activations that cross when `edge` (by node, downward closed) runs on the edge: those made there
/// or given to the model that the cloud reads or that are outputs. Ascending.
std::vector<int> Crossing(const Model& model, const std::vector<bool>& edge);

/// Nodes on the edge when exactly `tensors` cross. kUsage when no division crosses there, naming
/// the layer that stands in the way.
Result<std::vector<bool>> EdgeSide(const Model& model, std::span<const int> tensors);

/// Every tensor whose name alone is a cut, with the number of nodes on its edge side; in order.
/// Neither the model's inputs nor its outputs as a whole are among them.
struct SingleCut {
  int activation = -1;
  std::vector<bool> edge;
  int edge_nodes = 0;
};
std::vector<SingleCut> SingleCuts(const Model& model);

/// Everything that a Cut says, except its index. `edge` must be downward closed, `crossing` what
/// crosses then.
Cut DescribeCut(const Model& model, std::vector<bool> edge, std::vector<int> crossing);

/// How FindCut takes exactly these tensors: their names joined by ',', each with "tensor:" before
/// it when one of them could be taken for something else.
std::string TensorSpec(const Model& model, std::span<const int> tensors);

/// ListCuts(model), made once and kept with the model.
const std::vector<Cut>& UsualCuts(const Model& model);

/// False when something crosses that is no dense tensor of known element size.
bool CanCross(const Model& model, std::span<const int> tensors);

/// True when something crosses within an integer layer: what a DequantizeLinear made for the layer
/// behind it, or what waits for its QuantizeLinear. Engines put these together into one layer in
/// the whole network but not in halves, which then differ by a rounding; and the tensor of bytes
/// next to it is a quarter as long.
bool CutsIntegerLayer(const Model& model, std::span<const int> tensors);

}  // namespace fogline
