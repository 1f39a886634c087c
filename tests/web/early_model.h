// A network with an early exit, for tests of what plans make of it.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace fogline {

/// Writes early.onnx and its card into `folder`: the litter network with a head at split3, and
/// made-up counts of how sure it was of 100,000 pictures.
Status WriteEarlyModel(const std::filesystem::path& folder);

}  // namespace fogline
