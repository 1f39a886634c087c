// Where in a network its early exits lie.
#pragma once

#include "base/result.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

/// The cut at which an exit's tensor crosses, alone. kConflict where the network has no such
/// tensor.
Result<Cut> CutOfExit(const Network& network, const EarlyExit& exit);

/// Whether all layers before one cut lie before the other too, so that a picture can go on from the
/// first to the second. A cut stands before itself.
bool StandsBefore(const Cut& first, const Cut& second);

/// How people write the place: "split3" where it is known by that name.
std::string NameOfExit(const Model& model, const Cut& cut);

}  // namespace fogline
