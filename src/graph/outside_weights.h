// Which weights of a serialised model lie in a file beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// One of the graph itself: those of networks within a layer are not listed.
struct OutsideWeight {
  std::string name;
  DType dtype = DType::kUndefined;
  std::vector<int64_t> dims;
  uint64_t offset = 0, bytes = 0;  // in the file
};

/// `where` names the model in errors. kInvalid for what is no ONNX model.
Result<std::vector<OutsideWeight>> ListOutsideWeights(std::span<const std::byte> model,
                                                      const std::string& where);

}  // namespace fogline
