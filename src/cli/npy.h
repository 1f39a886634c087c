// Tensors in NumPy's .npy files.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline::cli {

/// Reads versions 1 to 3 of the format (numpy.lib.format): little-endian or one-byte elements in C
/// order. kInvalid for anything else.
Result<Tensor> ReadNpy(const std::filesystem::path& path);

/// Writes version 1 of the format. kUnsupported for dtypes that NumPy has no name for.
Status WriteNpy(const std::filesystem::path& path, const TensorView& tensor);

}  // namespace fogline::cli
