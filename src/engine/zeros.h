// Running an open network once on zeros: what the engine says of shapes, and whether it survives.
// For the files of this room.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/ort.h"
#include "graph/model.h"

namespace fogline {

/// The session's outputs named `outputs` for zeros in all of its inputs, or what `given` says of
/// them. Throws what the engine throws; kUnsupported for an input that takes no zeros.
Result<std::vector<Ort::Value>> RunOnZeros(Ort::Session& session,
                                           const std::vector<std::string>& outputs,
                                           const std::map<std::string, RunInput>& given);

}  // namespace fogline
