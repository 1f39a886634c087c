// Which cuts a calibration looks at.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "graph/cut.h"
#include "graph/model.h"

namespace fogline {

/// The cuts that these name (FindCut), each once; {"all"} for every listed one; without any those
/// that are worth calibrating: a cut that sends more than one before it has nothing to offer, nor
/// has a dominated one from which next to no work leads to another one that sends as much.
Result<std::vector<Cut>> ChooseCuts(const Model& model, const std::vector<std::string>& specs);

}  // namespace fogline
