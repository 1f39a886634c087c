// Along which axis the channels of each tensor lie: frameworks differ, and so do parts of one
// model.
#pragma once

#include <vector>

#include "graph/model.h"

namespace fogline {

/// For each of model.activations(), the axis of its channels, or -1 where the graph does not say.
/// Layers whose operator fixes it (convolutions, poolings, matrix products with weights) are where
/// it is known from; transpositions move it, reshapes keep it where they keep its place, and
/// everything else passes it on, in both directions, the nearest of the former first.
std::vector<int> ChannelAxes(const Model& model);

}  // namespace fogline
