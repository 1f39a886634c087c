// Inputs that are the same at every run become constants: what reads the graph then sees a network
// of its pictures alone.
#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "base/text.h"
#include "graph/model_data.h"

namespace fogline {
namespace {

template <typename T>
void Append(double value, std::string& to) {
  const T typed = static_cast<T>(value);
  to.append(reinterpret_cast<const char*>(&typed), sizeof typed);
}

/// False for elements that are no numbers.
bool AppendAs(DType dtype, double value, std::string& to) {
  switch (dtype) {
    case DType::kF32:
      Append<float>(value, to);
      return true;
    case DType::kF64:
      Append<double>(value, to);
      return true;
    case DType::kF16: {
      const uint16_t half = ToHalf(static_cast<float>(value));
      to.append(reinterpret_cast<const char*>(&half), sizeof half);
      return true;
    }
    case DType::kI64:
      Append<int64_t>(value, to);
      return true;
    case DType::kI32:
      Append<int32_t>(value, to);
      return true;
    case DType::kI8:
      Append<int8_t>(value, to);
      return true;
    case DType::kU8:
      Append<uint8_t>(value, to);
      return true;
    case DType::kBool:
      Append<bool>(value, to);
      return true;
    default:
      return false;
  }
}

/// The input as an initialiser of these values: as often as its shape holds them, once where its
/// shape is open.
Result<onnx::TensorProto> ConstantOf(const onnx::ValueInfoProto& input,
                                     const std::vector<double>& values, const std::string& where) {
  const auto& type = input.type().tensor_type();
  onnx::TensorProto tensor;
  tensor.set_name(input.name());
  tensor.set_data_type(type.elem_type());
  int64_t elements = 1;
  int open = -1;
  for (int d = 0; d < type.shape().dim_size(); ++d) {
    const auto& dim = type.shape().dim(d);
    const bool known = dim.has_dim_value() && dim.dim_value() > 0;
    tensor.add_dims(known ? dim.dim_value() : 1);
    elements *= tensor.dims(d);
    if (!known) open = d;  // the last one that is open takes all
  }
  const auto given = static_cast<int64_t>(values.size());
  if (open >= 0 && elements > 0 && given % elements == 0) {
    tensor.set_dims(open, given / elements);
    elements = given;
  }
  if (elements <= 0 || elements > (int64_t{1} << 20) || elements % given != 0) {
    return Fail(ErrorCode::kUsage, where, "input '{}' holds {} numbers, not {}", input.name(),
                elements, given);
  }
  for (int64_t i = 0; i < elements; ++i) {
    const double value = values[static_cast<size_t>(i % given)];
    if (!AppendAs(static_cast<DType>(type.elem_type()), value, *tensor.mutable_raw_data())) {
      return Fail(ErrorCode::kUnsupported, where, "input '{}' is {} and cannot be given numbers",
                  input.name(), DTypeName(static_cast<DType>(type.elem_type())));
    }
  }
  return tensor;
}

}  // namespace

std::unordered_set<std::string> NamesRead(const onnx::GraphProto& graph) {
  std::unordered_set<std::string> read;
  for (const auto& node : graph.node()) {
    for (std::string& name : NamesRead(node)) read.insert(std::move(name));
  }
  for (const auto& output : graph.output()) read.insert(output.name());
  return read;
}

Status FixInputs(ModelData& data, const LoadOptions& options) {
  if (options.fixed.empty()) return {};
  auto& graph = *data.proto.mutable_graph();
  const std::unordered_set<std::string> read = NamesRead(graph);
  for (const auto& [name, values] : options.fixed) {
    auto& inputs = *graph.mutable_input();
    const auto input = std::ranges::find(inputs, name, &onnx::ValueInfoProto::name);
    if (input == inputs.end()) {
      return Fail(ErrorCode::kUsage, data.where, "has no input '{}' to give a value", name);
    }
    const bool constant = read.contains(name);
    if (constant) {
      if (values.empty()) {
        return Fail(ErrorCode::kUsage, data.where, "input '{}' is read and needs a value", name);
      }
      FOGLINE_TRY(*graph.add_initializer(), ConstantOf(*input, values, data.where));
      data.weights.emplace_back();
    }
    // Before IR version 4 every constant is listed among the inputs.
    if (!constant || data.proto.ir_version() >= 4) inputs.erase(input);
    data.rewritten = true;
  }
  return {};
}

}  // namespace fogline
