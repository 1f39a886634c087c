// From an output that says which class each pixel is to shares and a small mask.
#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "vision/card.h"
#include "vision/findings.h"
#include "vision/placement.h"

namespace fogline {

/// How much of the picture, which lies so in the network's input, is of which class: what is around
/// a letterboxed picture does not count. The largest share comes first; of more than 255 classes
/// the smallest are one, "others". Beside the output itself it takes no memory that grows with it,
/// however many pixels there are. kConflict where the output is no mask, or holds NaN, scores that
/// are no probabilities or numbers that are no classes: the model or its card is at fault.
Result<MaskFindings> ReadMask(const Tensor& output, const ModelCard& card, const Placement& place);

}  // namespace fogline
