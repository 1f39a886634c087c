// A network made ready: nothing between a layer's weights and its activation that they could hold.
#pragma once

#include "base/result.h"
#include "quantize/net.h"

namespace fogline::quantize {

/// kUnsupported for a network that has 8-bit layers already or computes in float16, naming where.
Status CheckFloat(const Net& net);

/// Constant nodes become constants, identities and dropouts go, batch normalisations and additions
/// of a constant a channel go into the convolutions before them, every convolution gets a bias, and
/// a Flatten of axis 1 becomes a Reshape, which engines run on integers. What the network computes
/// stays the same but for rounding.
Status Fold(Net& net);

}  // namespace fogline::quantize
