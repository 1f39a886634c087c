// Tensors that a command is given as NumPy files, and those that it writes.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "engine/verify.h"

namespace fogline::cli {

/// Reads "NAME=FILE.npy", or "FILE.npy" where there is but one input. kUsage for a name that is
/// none of `inputs` and for a second file for one of them.
Result<Feeds> ReadFeeds(const std::vector<std::string>& texts, const std::vector<Port>& inputs);

/// Writes each tensor to a file of its name in `folder`, which is made where it is missing; gives
/// the files.
Result<std::vector<std::filesystem::path>> WriteTensors(const std::filesystem::path& folder,
                                                        std::span<const Port> ports,
                                                        std::span<const Tensor> tensors);

}  // namespace fogline::cli
