// What a Model of the library stands for, and cuts of it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fogline/model.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

v1::Cut Outside(const Cut& cut);
/// A cut that was handed out, by its name. kConflict for one of another model.
Result<Cut> Inside(const Model& model, const v1::Cut& cut);

namespace v1 {

struct ModelImpl {
  fogline::Network network;
  std::string path;
  std::vector<TensorSpec> inputs, outputs;
};

}  // namespace v1
}  // namespace fogline
