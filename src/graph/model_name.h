// A model's name: the hash of all of its bytes, wherever they lie.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace fogline {

/// A model file by content. docs/wire_format.md says how the hash is made.
struct ModelName {
  Sha256 hash{};
  /// The files that hold weights of it, relative to the model's folder, sorted; none where its own
  /// file is all of it.
  std::vector<std::filesystem::path> external;
};

/// Names a model file. kNotFound when it or a file with its weights is missing or a Git LFS
/// pointer, kInvalid for what is no ONNX model. Reads files as they are now, without mapping them,
/// so that one which is being written costs an error or another name and nothing else.
Result<ModelName> NameModel(const std::filesystem::path& path);

/// The same of a model's bytes; `folder` holds its external weights, `where` names it in errors.
Result<ModelName> NameModel(std::span<const std::byte> bytes, const std::filesystem::path& folder,
                            const std::string& where);

}  // namespace fogline
