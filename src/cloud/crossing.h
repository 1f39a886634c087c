// Which payload of a frame carries which tensor of its cut.
#pragma once

#include <vector>

#include "base/result.h"
#include "cloud/registry.h"
#include "frame/frame.h"

namespace fogline {

/// kInvalid, naming the tensor, unless the payload's type and shape are those that are due.
Status CheckIs(const Payload& payload, const Port& due);

/// Fills `carriers` with the activation of each of the cut's tensors, in their order; at cut 0 with
/// the one that there is, be it a picture or the tensor itself. A tensor without a name (0), as
/// older devices send it, can only be that of a cut where one crosses. kInvalid, naming the tensor,
/// where one is missing, is there twice or does not cross here, and where its type or shape is not
/// the tensor's (not looked at in cut 0).
Status MatchTensors(const Frame& frame, const OpenCut& open, std::vector<const Payload*>& carriers);

}  // namespace fogline
