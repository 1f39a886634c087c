// Every place where a model can be divided between edge and cloud.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fogline/tensor.h"

namespace fogline::v1 {

/// What a cut makes of the network.
enum class Mechanism { kEdgeOnly = 0, kSplit = 1, kCloudOnly = 2 };
/// "edge-only", "split" or "cloud-only".
FOGLINE_API const char* NameOf(Mechanism mechanism);

/// A division of the layers into an edge side that needs nothing of the cloud side, and the
/// tensors that cross. A value: it knows no model, and its name finds it again (Model::FindCut).
struct Cut {
  int index = -1;     // in Model::Cuts(); -1 for a cut that is not listed by default
  uint64_t id = 0;    // as frames name it
  std::string name;   // "input", "output", or the tensors that cross
  std::string alias;  // "split13" where the paper's positions are known, else empty
  Mechanism mechanism = Mechanism::kSplit;
  std::vector<TensorSpec> tensors;  // what crosses
  int64_t bytes = 0;                // of all of them as dense arrays
  int edge_layers = 0;
  int64_t edge_madds = 0;   // multiply-adds of the layers on the edge
  int64_t cloud_madds = 0;  // of the others
  int64_t edge_weight_bytes = 0;
  int64_t cloud_weight_bytes = 0;
  bool dominated = false;       // another cut before it and one behind it send no more
  bool data_dependent = false;  // `bytes` is an example: a tensor's shape depends on values
};

}  // namespace fogline::v1
