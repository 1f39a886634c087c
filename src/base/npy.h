// Tensors in NumPy's .npy files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

/// Reads versions 1 to 3 of the format (numpy.lib.format): little-endian or one-byte elements in C
/// order. kInvalid for anything else.
Result<Tensor> ReadNpy(const std::filesystem::path& path);

/// The bytes of a file of version 1 of the format. kUnsupported for dtypes that NumPy has no name
/// for.
Result<std::vector<std::byte>> ToNpy(const TensorView& tensor);

/// Writes version 1 of the format. kUnsupported for dtypes that NumPy has no name for.
Status WriteNpy(const std::filesystem::path& path, const TensorView& tensor);

/// A name for a file that says what it is of, whoever chose it: a tensor's, without ".npy". Bytes
/// other than letters, digits, '_' and '-' become %xx, and what is long is cut.
std::string FileStem(std::string_view name);

}  // namespace fogline
