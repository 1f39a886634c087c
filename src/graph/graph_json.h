// A network as data for those who draw it.
#pragma once

#include <vector>

#include "base/json.h"
#include "graph/cut.h"

namespace fogline {

/// "layers", "tensors" and "cuts" of a model; the schema Network in docs/openapi.yaml has the
/// words. Tensors are in the order of Model::activations(), so the model's inputs come first.
Json GraphJson(const Model& model, const std::vector<Cut>& cuts);

}  // namespace fogline
