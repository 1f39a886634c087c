// From an output that holds numbers to numbers with names and units.
#pragma once

#include "base/result.h"
#include "base/tensor.h"
#include "vision/card.h"
#include "vision/findings.h"

namespace fogline {

/// One number a label, or called "0", "1", … where the card has none. kConflict where there are not
/// as many as the card has labels, more than there is room for, or one is NaN or infinite.
Result<NumberFindings> ReadNumbers(const TensorView& output, const ModelCard& card);

}  // namespace fogline
