// Tensors in NumPy's .npy files.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline::cli {

/// Reads versions 1 to 3 of the format (numpy.lib.format): little-endian or one-byte elements in C
/// order. kInvalid for anything else.
Result<Tensor> ReadNpy(const std::filesystem::path& path);

}  // namespace fogline::cli
