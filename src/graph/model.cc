#include "graph/model.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>

#include <unordered_set>

#include "graph/blocks.h"
#include "graph/inline.h"
#include "graph/model_data.h"
#include "graph/model_parse.h"

namespace fogline {
namespace {

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<std::shared_ptr<const ModelData>> Build(std::shared_ptr<ModelData> data,
                                               std::span<const std::byte> bytes,
                                               const std::filesystem::path& folder,
                                               const ShapeSource& types,
                                               const LoadOptions& options) {
  FOGLINE_CHECK(ParseInto(*data, bytes));
  FOGLINE_TRY(const ModelName name, NameParsed(data->proto, bytes, folder, data->where));
  data->hash = name.hash;
  FOGLINE_CHECK(MapExternalWeights(*data, folder));
  FOGLINE_CHECK(CheckWeights(*data));
  data->rewritten = data->proto.functions_size() > 0;
  FOGLINE_CHECK(InlineFunctions(data->proto, data->where));
  FOGLINE_CHECK(FixInputs(*data, options));
  FOGLINE_CHECK(LeaveOutOutputs(*data, options));
  for (const auto& import : data->proto.opset_import()) {
    if (import.domain().empty() || import.domain() == "ai.onnx") data->opset = import.version();
  }
  FOGLINE_CHECK(BuildTopology(*data));
  FOGLINE_CHECK(TypeTensors(*data, types, options));
  FindBlocks(*data);
  return data;
}

Port Declared(const onnx::ValueInfoProto& info) {
  Port port{info.name(), DType::kUndefined, {}};
  if (!info.type().has_tensor_type()) return port;
  const auto& type = info.type().tensor_type();
  port.dtype = static_cast<DType>(type.elem_type());
  std::vector<int64_t> dims;
  for (const auto& dim : type.shape().dim()) {
    dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
  }
  port.shape = Shape(dims);
  return port;
}

}  // namespace

Status CheckFetched(std::span<const std::byte> bytes, const std::string& file) {
  if (!Text(bytes).starts_with("version https://git-lfs.github.com/")) return {};
  return Fail(ErrorCode::kNotFound, file,
              "is a Git LFS pointer, not the file itself: fetch it with 'git lfs pull'");
}

Status ParseInto(ModelData& data, std::span<const std::byte> bytes) {
  if (bytes.empty()) return Fail(ErrorCode::kInvalid, data.where, "is empty, not an ONNX model");
  FOGLINE_CHECK(CheckFetched(bytes, data.where));
  FOGLINE_TRY(LiftedModel lifted, LiftWeights(Text(bytes), data.where));
  // protobuf would print its own lines about what it cannot parse.
  static const auto silent = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silent);
  if (!data.proto.ParseFromString(lifted.skeleton)) {
    return Fail(ErrorCode::kInvalid, data.where, "is no ONNX model, or a damaged one");
  }
  lifted.skeleton = {};
  if (!data.proto.has_graph() || data.proto.graph().node_size() == 0) {
    return Fail(ErrorCode::kInvalid, data.where, "is no ONNX model: it holds no layers");
  }
  data.weights = std::move(lifted.weights);
  if (static_cast<int>(data.weights.size()) != data.proto.graph().initializer_size()) {
    return Fail(ErrorCode::kInvalid, data.where, "is a damaged ONNX model");
  }
  data.bytes = bytes;
  return {};
}

Result<DeclaredPorts> ReadPorts(const std::filesystem::path& path) {
  ModelData data;
  data.where = path.string();
  FOGLINE_TRY(const MappedFile file, MappedFile::Open(path));
  FOGLINE_CHECK(ParseInto(data, file.bytes()));
  std::unordered_set<std::string_view> initializers;
  const auto& graph = data.proto.graph();
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) initializers.insert(tensor.values().name());
  DeclaredPorts ports;
  for (const auto& input : graph.input()) {
    if (!initializers.contains(input.name())) ports.inputs.push_back(Declared(input));
  }
  for (const auto& output : graph.output()) ports.outputs.push_back(Declared(output));
  const std::unordered_set<std::string> read = NamesRead(graph);
  for (const Port& input : ports.inputs) {
    if (!read.contains(input.name)) ports.unread.push_back(input.name);
  }
  return ports;
}

Result<Model> Model::Load(const std::filesystem::path& path, const ShapeSource& types,
                          const LoadOptions& options) {
  auto data = std::make_shared<ModelData>();
  data->where = path.string();
  data->path = path;
  FOGLINE_TRY(MappedFile file, MappedFile::Open(path));
  data->files.push_back(std::move(file));
  const auto bytes = data->files.front().bytes();
  FOGLINE_TRY(auto built, Build(std::move(data), bytes, path.parent_path(), types, options));
  return Model(std::move(built));
}

Result<Model> Model::Parse(std::vector<std::byte> bytes, const std::string& where,
                           const ShapeSource& types, const LoadOptions& options,
                           const std::filesystem::path& folder) {
  auto data = std::make_shared<ModelData>();
  data->where = where;
  data->memory = std::move(bytes);
  const std::span<const std::byte> view = data->memory;
  FOGLINE_TRY(auto built, Build(std::move(data), view, folder, types, options));
  return Model(std::move(built));
}

const std::string& Model::where() const { return data_->where; }
const Sha256& Model::hash() const { return data_->hash; }
size_t Model::file_bytes() const { return data_->bytes.size(); }
std::span<const std::byte> Model::bytes() const { return data_->bytes; }
const std::filesystem::path& Model::path() const { return data_->path; }
void Model::ReleasePages() const {
  for (const MappedFile& file : data_->files) file.Release();
}
bool Model::has_external_weights() const { return !data_->headers.empty(); }
bool Model::rewritten() const { return data_->rewritten; }
int64_t Model::opset() const { return data_->opset; }
const std::vector<Port>& Model::inputs() const { return data_->inputs; }
const std::vector<Port>& Model::outputs() const { return data_->outputs; }
const std::vector<Node>& Model::nodes() const { return data_->nodes; }
const std::vector<Activation>& Model::activations() const { return data_->activations; }
const std::vector<Block>& Model::blocks() const { return data_->blocks; }
int64_t Model::madds() const { return data_->madds; }
bool Model::madds_at_least() const { return data_->madds_at_least; }
int64_t Model::params() const { return data_->params; }
int64_t Model::weight_bytes() const { return data_->weight_bytes; }
const std::vector<std::string>& Model::assumptions() const { return data_->assumptions; }

int Model::FindActivation(const std::string& name) const {
  const auto found = data_->activation_index.find(name);
  return found == data_->activation_index.end() ? -1 : found->second;
}

}  // namespace fogline
