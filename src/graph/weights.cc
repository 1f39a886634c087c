// Weights: in external files, and whether there are as many as the shapes promise.
#include <charconv>

#include "base/text.h"
#include "graph/model_parse.h"

namespace fogline {
namespace {
Result<uint64_t> ParseNumber(const ModelData& data, const onnx::TensorProto& tensor,
                             const std::string& key, const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kInvalid, data.where, "weight '{}' has an external {} of '{}'",
                tensor.name(), key, text);
  }
  return value;
}

/// Bytes that a dense tensor's raw data must have; nullopt where the element type is of unknown
/// size.
Result<std::optional<uint64_t>> ExpectedBytes(const ModelData& data,
                                              const onnx::TensorProto& tensor) {
  uint64_t elements = 1;
  for (const int64_t d : tensor.dims()) {
    if (d < 0 || __builtin_mul_overflow(elements, static_cast<uint64_t>(d), &elements)) {
      return Fail(ErrorCode::kInvalid, data.where, "weight '{}' has an impossible shape",
                  tensor.name());
    }
  }
  const size_t element = ElementBytes(static_cast<DType>(tensor.data_type()));
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements, static_cast<uint64_t>(element), &bytes)) {
    return Fail(ErrorCode::kInvalid, data.where, "weight '{}' has an impossible shape",
                tensor.name());
  }
  if (element == 0 || tensor.data_type() > 16) return std::nullopt;
  return bytes;
}

}  // namespace

Status CheckWeights(const ModelData& data) {
  const auto& all = data.proto.graph().initializer();
  for (int i = 0; i < all.size(); ++i) {
    const onnx::TensorProto& tensor = all.Get(i);
    FOGLINE_TRY(const auto expected, ExpectedBytes(data, tensor));
    if (!expected) continue;
    const size_t raw = data.weights[i].raw_bytes + tensor.raw_data().size();
    const bool typed = data.weights[i].typed_bytes > 0 || tensor.float_data_size() > 0 ||
                       tensor.int32_data_size() > 0 || tensor.int64_data_size() > 0 ||
                       tensor.double_data_size() > 0 || tensor.uint64_data_size() > 0;
    // The engine counts the elements of the typed fields, which may be packed as varints.
    if (typed && raw == 0 && *expected <= 8 * kLiftedFrom) continue;
    if (typed && raw == 0) {
      // A varint takes at least a byte and at most ten.
      const uint64_t elements = *expected / ElementBytes(static_cast<DType>(tensor.data_type()));
      if (data.weights[i].typed_bytes >= elements) continue;
    }
    if (raw != *expected) {
      return Fail(ErrorCode::kInvalid, data.where,
                  "weight '{}' promises {} by its shape but holds {}", tensor.name(),
                  HumanBytes(static_cast<double>(*expected)), HumanBytes(static_cast<double>(raw)));
    }
  }
  return {};
}

Status MapExternalWeights(ModelData& data, const std::filesystem::path& folder) {
  std::unordered_map<std::string, std::span<const std::byte>> opened;
  auto* graph = data.proto.mutable_graph();
  for (int i = 0; i < graph->initializer_size(); ++i) {
    onnx::TensorProto& tensor = *graph->mutable_initializer(i);
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    std::string location;
    uint64_t offset = 0;
    std::optional<uint64_t> length;
    for (const auto& entry : tensor.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") {
        FOGLINE_TRY(offset, ParseNumber(data, tensor, "offset", entry.value()));
      }
      if (entry.key() == "length") {
        FOGLINE_TRY(length, ParseNumber(data, tensor, "length", entry.value()));
      }
    }
    FOGLINE_TRY(const auto relative, ExternalPath(location, data.where));
    auto [file, fresh] = opened.try_emplace(relative.string());
    if (fresh && data.path.empty()) {
      // Of a model in memory: what becomes of its files afterwards must not matter.
      FOGLINE_TRY(std::string copy, ReadTextFile(folder / relative));
      file->second = std::as_bytes(std::span(data.headers.emplace_back(std::move(copy))));
    } else if (fresh) {
      FOGLINE_TRY(MappedFile mapped, MappedFile::Open(folder / relative));
      file->second = data.files.emplace_back(std::move(mapped)).bytes();
    }
    const auto bytes = file->second;
    FOGLINE_CHECK(CheckFetched(bytes, (folder / relative).string()));
    FOGLINE_TRY(const auto expected, ExpectedBytes(data, tensor));
    const uint64_t wanted = length.value_or(expected.value_or(0));
    if (offset > bytes.size() || wanted > bytes.size() - offset) {
      return Fail(ErrorCode::kInvalid, (folder / relative).string(),
                  "is too short for weight '{}' of {}", tensor.name(), data.where);
    }
    const auto view = bytes.subspan(offset, wanted);
    data.headers.push_back(RecordHeader(kTensorRawData, wanted));
    data.weights[i] = {
        {data.headers.back(), {reinterpret_cast<const char*>(view.data()), view.size()}},
        wanted,
        0};
    tensor.clear_external_data();
    tensor.clear_data_location();
  }
  return {};
}

}  // namespace fogline
