#include "graph/model_name.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/paths.h"
#include "graph/model_parse.h"

namespace fogline {
namespace {

/// Collects where tensors lie that are not in the model's own file, however deep in the model.
class Locations {
 public:
  void Visit(const onnx::ModelProto& model) {
    Visit(model.graph());
    for (const auto& function : model.functions()) Visit(function.node());
  }

  const std::set<std::string>& found() const { return found_; }

 private:
  void Visit(const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) Visit(tensor);
    for (const auto& tensor : graph.sparse_initializer()) Visit(tensor);
    Visit(graph.node());
  }
  void Visit(const google::protobuf::RepeatedPtrField<onnx::NodeProto>& nodes) {
    for (const auto& node : nodes) {
      for (const auto& attribute : node.attribute()) Visit(attribute);
    }
  }
  void Visit(const onnx::AttributeProto& attribute) {
    Visit(attribute.t());
    Visit(attribute.sparse_tensor());
    if (attribute.has_g()) Visit(attribute.g());
    for (const auto& tensor : attribute.tensors()) Visit(tensor);
    for (const auto& tensor : attribute.sparse_tensors()) Visit(tensor);
    for (const auto& graph : attribute.graphs()) Visit(graph);
  }
  void Visit(const onnx::SparseTensorProto& tensor) {
    Visit(tensor.values());
    Visit(tensor.indices());
  }
  void Visit(const onnx::TensorProto& tensor) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") found_.insert(entry.value());
    }
  }

  std::set<std::string> found_;
};

void Append(std::vector<std::byte>& to, const Sha256& hash) {
  const auto bytes = std::as_bytes(std::span(hash));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

Result<std::filesystem::path> ExternalPath(const std::string& location, const std::string& where) {
  const std::filesystem::path relative = std::filesystem::path(location).lexically_normal();
  if (location.empty() || relative.is_absolute() || *relative.begin() == "..") {
    return Fail(ErrorCode::kInvalid, where, "has weights in '{}', outside the model's folder",
                location);
  }
  return relative;
}

Result<ModelName> NameParsed(const onnx::ModelProto& model, std::span<const std::byte> bytes,
                             const std::filesystem::path& folder, const std::string& where) {
  ModelName name;
  name.hash = HashSha256(bytes);
  Locations locations;
  locations.Visit(model);
  if (locations.found().empty()) return name;
  std::set<std::filesystem::path> files;
  for (const std::string& location : locations.found()) {
    FOGLINE_TRY(auto file, ExternalPath(location, where));
    files.insert(std::move(file));
  }
  name.external.assign(files.begin(), files.end());
  std::vector<std::byte> parts;
  Append(parts, name.hash);
  for (const auto& file : name.external) {
    FOGLINE_TRY(const Sha256 content, HashFile(folder / file));
    Append(parts, HashSha256(std::as_bytes(std::span(file.native()))));
    Append(parts, content);
  }
  name.hash = HashSha256(parts);
  return name;
}

Result<ModelName> NameModel(std::span<const std::byte> bytes, const std::filesystem::path& folder,
                            const std::string& where) {
  ModelData data;
  data.where = where;
  FOGLINE_CHECK(ParseInto(data, bytes));
  return NameParsed(data.proto, bytes, folder, where);
}

Result<ModelName> NameModel(const std::filesystem::path& path) {
  FOGLINE_TRY(const auto bytes, ReadFile(path));
  return NameModel(bytes, path.parent_path(), path.string());
}

}  // namespace fogline
