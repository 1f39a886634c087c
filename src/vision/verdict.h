// From a network's outputs to findings, and from findings to a verdict.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "vision/card.h"
#include "vision/findings.h"
#include "vision/placement.h"

namespace fogline {

/// What one picture is reported and stored as.
struct Verdict {
  int label = -1;        // class index of the card; -1 when findings name none
  std::string name;      // the label's text; "output" where findings name none
  float score = 0;       // of the positive class where the card names one, else of `label`
  bool positive = true;  // worth reporting; always true where the card names no positive class
};

/// What a network's outputs say about its picture, `ports` naming them one by one and `judged`
/// being the one that its contract says: classes, boxes, a mask or numbers, otherwise RawFindings;
/// `place` is where the picture lies in the network's input. kConflict when the outputs do not fit
/// the card, hold NaN or no probabilities: the model or its card is at fault, not the picture.
Result<Findings> ReadOutputs(std::span<const Tensor> outputs, std::span<const Port> ports,
                             size_t judged, const ModelCard& card, const Placement& place);

/// The same of a classifier's output alone: one value a class for a batch of one.
Result<ClassFindings> ReadClass(const TensorView& output, const ModelCard& card);

/// The one place that decides. The positive class counts from the card's threshold on: by its
/// probability, the surest of its boxes, its share of the picture. Below that, and where the card
/// names none, the label is the class said, the surest box (of another class) or the largest share
/// (likewise). Of boxes the card's [verdict] goes before that: enough boxes of its classes, sure
/// enough, whose lower edge has its middle in the region; of a mask the shares of its classes
/// together (without classes, the largest share); of numbers the limits of one.
Verdict Judge(const Findings& findings, const ModelCard& card);

}  // namespace fogline
