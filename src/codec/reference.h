// What the whole model says of every picture, and how far anything else is from it.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/tensor.h"

namespace fogline {

/// The outputs of the whole model on all pictures. Immutable, so any thread may ask it.
class Reference {
 public:
  /// The output whose largest value is the class, among so many first ones.
  struct Classes {
    size_t output = 0, count = 0;
  };

  /// `outputs[i]` are the model's outputs for picture i; no `classes` when none are scores of them.
  Reference(std::vector<std::vector<Tensor>> outputs, std::optional<Classes> classes);

  size_t pictures() const { return outputs_.size(); }
  const std::vector<std::vector<Tensor>>& outputs() const { return outputs_; }

  /// Index of the largest value of the class output; -1 without one.
  int Top1(const std::vector<Tensor>& outputs) const;
  int Top1(size_t picture) const { return top1_[picture]; }

  /// How far `other` is from the picture's outputs, in units of how far the outputs of different
  /// pictures are from their mean: 0 is the same, 1 no better than not to look at the picture.
  /// Mean over outputs; of an output that is no class list, mean over its channels (boxes and
  /// scores have units of their own). Numbers are compared by squared distance, 32- and 64-bit
  /// integers and booleans by how many differ. Infinite when a shape differs, or where one is
  /// finite and the other is not.
  double Error(size_t picture, const std::vector<Tensor>& other) const;

  /// 0…1: for classes, whether the top one is the same; else 1 − Error, at least 0.
  double Agreement(size_t picture, const std::vector<Tensor>& other) const;

  /// ‖other − reference‖₂ / ‖reference‖₂ over all float outputs. Less than 1e-6 a value counts as
  /// that: outputs near zero are not held against their own rounding.
  double RelativeError(size_t picture, const std::vector<Tensor>& other) const;

 private:
  /// How one output varies: by channel along the axis that tells its scales apart best, else as a
  /// whole.
  struct Variation {
    size_t channels = 1, stride = 0;  // channel of element i: i / stride % channels
    bool discrete = false;
    std::vector<double> spread;  // by channel, mean over pictures
  };
  Variation VariationOf(size_t output) const;

  std::vector<std::vector<Tensor>> outputs_;
  std::optional<Classes> classes_;
  std::vector<int> top1_;
  std::vector<Variation> variations_;  // by output
};

}  // namespace fogline
