// What the network's output says about a picture.
#pragma once

#include "base/tensor.h"
#include "vision/card.h"

namespace fogline {

struct Verdict {
  int label = -1;   // class index; -1 when the output is not a classification
  float score = 0;  // probability of the positive class where the card names one, else of `label`
  bool positive = true;  // worth reporting; always true where the card names no positive class
};

/// Reads a classifier's output (one value a class for a batch of one). Outputs of kind "other" give
/// label -1, score 0. kConflict when the tensor does not fit the card, holds NaN or no
/// probabilities: the model or its card is at fault, not the picture.
Result<Verdict> Judge(const TensorView& output, const ModelCard& card);

}  // namespace fogline
