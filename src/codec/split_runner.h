// A model run in two halves with something in between: what calibration measures codecs with.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/session.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// The two halves of one cut. Any thread may run them.
class SplitRunner {
 public:
  static Result<SplitRunner> Open(const Model& model, const Cut& cut);

  /// The cut's tensors, in the order of Cut::tensors, for one input of the model.
  Result<std::vector<Tensor>> Prefix(const Tensor& input) const;
  /// The model's outputs for the cut's tensors.
  Result<std::vector<Tensor>> Suffix(std::span<const Tensor> tensors) const;

 private:
  std::unique_ptr<Session> prefix_, suffix_;  // null where that side has no layer
  std::vector<size_t> from_prefix_, to_suffix_;
};

}  // namespace fogline
