// Types of a model's tensors as the engine infers or finds them.
#pragma once

#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "base/tensor.h"
#include "graph/model.h"

namespace fogline {

/// Loads a model with optimisation off and says the types of its outputs; runs it once on zeros
/// when shapes of inputs are given. kInvalid or kUnsupported with the engine's reason.
ShapeSource EngineShapes();

}  // namespace fogline
