// From the outputs of a network of boxes to boxes in parts of the picture.
#pragma once

#include <optional>
#include <span>

#include "base/result.h"
#include "base/tensor.h"
#include "vision/card.h"
#include "vision/findings.h"
#include "vision/placement.h"

namespace fogline {

/// The boxes that the card's rules let pass, in the upright picture that lies so in the network's
/// input; what is outside of the picture is cut away. Any layout, any numbers: NaN, boxes of no
/// size and a million of candidates cost time in proportion to the outputs' bytes and no more
/// memory than that. kConflict where the outputs are not of the card's layout, or hold scores that
/// are no probabilities or nothing but NaN: the model or its card is at fault, not the picture.
Result<BoxFindings> ReadBoxes(std::span<const Tensor> outputs, std::span<const Port> ports,
                              const ModelCard& card, const Placement& place);

/// The card with rules under which a curve of precision over recall can be drawn: the least score
/// is as good as none, and as many boxes are told as there can be.
ModelCard ForCurves(ModelCard card);

}  // namespace fogline
