// Where in a network its early exits lie.
#pragma once

#include "base/result.h"
#include "graph/cut.h"
#include "vision/network.h"

namespace fogline {

/// kNotFound for a network without any, naming the flag that asked for one, and what makes some.
Status CheckHasExits(const Network& network, const std::string& flag);

/// The exit whose tensor alone crosses at the cut of this id; null where there is none.
const EarlyExit* ExitAt(const std::vector<EarlyExit>& exits, uint64_t cut);

/// The cut at which an exit's tensor crosses, alone. kConflict where the network has no such
/// tensor.
Result<Cut> CutOfExit(const Network& network, const EarlyExit& exit);

/// Whether all layers before one cut lie before the other too, so that a picture can go on from the
/// first to the second. A cut stands before itself.
bool StandsBefore(const Cut& first, const Cut& second);

/// How people write the place: "split3" where it is known by that name.
std::string NameOfExit(const Model& model, const Cut& cut);

}  // namespace fogline
