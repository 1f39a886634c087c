// A model run in two halves with something in between: what calibration measures codecs with.
#pragma once

#include <memory>
#include <optional>
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

/// The outputs of the whole model on all pictures, and how others compare with them.
class Reference {
 public:
  /// `outputs[i]` are the model's outputs for picture i; `class_output` is the one whose largest
  /// value is the class, none when outputs are no classes.
  Reference(std::vector<std::vector<Tensor>> outputs, std::optional<size_t> class_output);

  size_t pictures() const { return outputs_.size(); }
  const std::vector<std::vector<Tensor>>& outputs() const { return outputs_; }

  /// Index of the largest value of the class output; -1 without one.
  int Top1(const std::vector<Tensor>& outputs) const;
  int Top1(size_t picture) const { return top1_[picture]; }

  /// Σ over float outputs of ‖other − reference‖² / mean over pictures of ‖reference − mean‖²:
  /// error in units of how much the output varies from picture to picture. Infinite when a shape
  /// differs or a value is not finite.
  double Error(size_t picture, const std::vector<Tensor>& other) const;
  /// ‖other − reference‖₂ / ‖reference‖₂ over all float outputs.
  double RelativeError(size_t picture, const std::vector<Tensor>& other) const;

 private:
  std::vector<std::vector<Tensor>> outputs_;
  std::optional<size_t> class_output_;
  std::vector<int> top1_;
  std::vector<double> spread_;  // by output
};

}  // namespace fogline
