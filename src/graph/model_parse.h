// Reading a serialised model's structure and its name, for the files of this room.
#pragma once

#include "graph/model_data.h"
#include "graph/model_name.h"

namespace fogline {

/// Reads the structure of a serialised model into `data.proto` and `data.weights`, which views into
/// `bytes`. kInvalid for what is no ONNX model.
Status ParseInto(ModelData& data, std::span<const std::byte> bytes);

/// A parsed model's name; see graph/model_name.h.
Result<ModelName> NameParsed(const onnx::ModelProto& model, std::span<const std::byte> bytes,
                             const std::filesystem::path& folder, const std::string& where);

/// Where an external tensor's location leads below the model's folder; kInvalid for one outside.
Result<std::filesystem::path> ExternalPath(const std::string& location, const std::string& where);

}  // namespace fogline
