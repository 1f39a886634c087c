// MobileNetV2's blocks, and the names that the paper gives to its cuts.
#pragma once

#include <string>

namespace fogline {

struct ModelData;
class Model;

/// Fills data.blocks and Node::block with the bottleneck blocks found: an optional 1x1 expansion, a
/// depthwise convolution, a 1x1 projection whose output has no activation, and the addition of the
/// block's input where there is one (Sandler et al. 2018). Conversions to integers and back between
/// them are passed over: a block of a quantised network gives the integers.
void FindBlocks(ModelData& data);

/// "split1" … "split14" for the tensor that leaves a bottleneck of a MobileNetV2, empty for any
/// other; docs/graph.md says how the paper's positions were derived.
std::string PaperAlias(const Model& model, int activation);

}  // namespace fogline
