// A picture at a network's size, and its input tensor.
#pragma once

#include "base/tensor.h"
#include "vision/card.h"
#include "vision/image.h"
#include "vision/preprocess.h"

namespace fogline {

/// Buffers for one thread; a copy has memory of its own.
class Prepare {
 public:
  explicit Prepare(const ModelCard& card) : card_(card), input_(card.dtype, card.input_shape()) {}
  /// Tensors share their memory.
  Prepare(const Prepare& other) : Prepare(other.card_) {}
  Prepare& operator=(const Prepare& other) {
    card_ = other.card_;
    input_ = Tensor(card_.dtype, card_.input_shape());
    return *this;
  }

  const Image& Fit(const Image& picture) {
    FitToInput(picture, card_, fitted_);
    return fitted_;
  }
  TensorView Input(const Image& picture) {
    Normalise(Fit(picture), card_, input_);
    return input_.view();
  }

 private:
  ModelCard card_;
  Image fitted_;
  Tensor input_;
};

}  // namespace fogline
