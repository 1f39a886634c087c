#include "engine/shapes.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/ort.h"

namespace fogline {
namespace {

using Types = std::map<std::string, TensorType>;

/// The engine invents names such as "unk__7" for dimensions that it cannot name.
bool IsInvented(std::string_view symbol) { return symbol.starts_with("unk__"); }

TensorType ToType(const Ort::TypeInfo& type) {
  TensorType to;
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return to;
  const auto info = type.GetTensorTypeAndShapeInfo();
  to.dtype = static_cast<DType>(info.GetElementType());
  const std::vector<int64_t> dims = info.GetShape();
  if (dims.size() > Shape::kMaxRank) {
    to.dtype = DType::kUndefined;  // more dimensions than a Shape holds: it cannot be handled
    return to;
  }
  to.shape = Shape(dims);
  // The engine reports an unknown rank as rank 0, so that a scalar must be looked at to be known.
  to.has_shape = !dims.empty();
  std::vector<const char*> symbols(dims.size());
  if (!dims.empty()) info.GetSymbolicDimensions(symbols.data(), symbols.size());
  for (const char* symbol : symbols) {
    to.symbols.emplace_back(symbol == nullptr || IsInvented(symbol) ? "" : symbol);
  }
  return to;
}

/// Zeros, without touching the pages that nobody writes.
struct Zeros {
  std::unique_ptr<void, decltype(&std::free)> memory{nullptr, &std::free};
  Ort::Value value{nullptr};
};

template <typename T>
void Put(void* memory, size_t elements, const std::vector<double>& values) {
  for (size_t i = 0; i < elements; ++i) {
    static_cast<T*>(memory)[i] = static_cast<T>(values.size() == 1 ? values[0] : values[i]);
  }
}

/// False for elements that are no numbers.
bool Fill(DType dtype, void* memory, size_t elements, const std::vector<double>& values) {
  switch (dtype) {
    case DType::kF32:
      Put<float>(memory, elements, values);
      return true;
    case DType::kF64:
      Put<double>(memory, elements, values);
      return true;
    case DType::kI64:
      Put<int64_t>(memory, elements, values);
      return true;
    case DType::kI32:
      Put<int32_t>(memory, elements, values);
      return true;
    case DType::kI16:
      Put<int16_t>(memory, elements, values);
      return true;
    case DType::kI8:
      Put<int8_t>(memory, elements, values);
      return true;
    case DType::kU8:
      Put<uint8_t>(memory, elements, values);
      return true;
    case DType::kBool:
      Put<bool>(memory, elements, values);
      return true;
    default:
      return false;
  }
}

/// Zeros, or what `given` holds.
Result<Zeros> MakeInput(const std::string& name, const Ort::TypeInfo& type, const RunInput* given) {
  const auto fail = [&](const char* why) {
    return Fail(ErrorCode::kUnsupported, name, "cannot be filled with zeros: {}", why);
  };
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return fail("no tensor");
  const auto info = type.GetTensorTypeAndShapeInfo();
  std::vector<int64_t> dims = info.GetShape();
  if (given != nullptr) dims.assign(given->shape.begin(), given->shape.end());
  size_t bytes = ElementBytes(static_cast<DType>(info.GetElementType()));
  if (bytes == 0) return fail("elements of no fixed size");
  for (const int64_t d : dims) {
    if (d < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(d), &bytes)) {
      return fail("an open or impossible shape");
    }
  }
  Zeros zeros;
  zeros.memory.reset(std::calloc(std::max<size_t>(bytes, 1), 1));
  if (!zeros.memory) return fail("no memory");
  if (given != nullptr && !given->values.empty()) {
    const auto dtype = static_cast<DType>(info.GetElementType());
    const size_t elements = bytes / ElementBytes(dtype);
    if (given->values.size() != 1 && given->values.size() != elements) {
      return Fail(ErrorCode::kUsage, "--value " + name, "gives {} numbers where the input holds {}",
                  given->values.size(), elements);
    }
    if (!Fill(dtype, zeros.memory.get(), elements, given->values)) {
      return Fail(ErrorCode::kUsage, "--value " + name, "cannot be given: the input is {}",
                  DTypeName(dtype));
    }
  }
  static const auto cpu = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  zeros.value = Ort::Value::CreateTensor(cpu, zeros.memory.get(), bytes, dims.data(), dims.size(),
                                         info.GetElementType());
  return zeros;
}

Status RunOnce(Ort::Session& session, const std::map<std::string, RunInput>& inputs, Types& types) {
  Ort::AllocatorWithDefaultOptions allocator;
  std::vector<std::string> in_names, out_names;
  std::vector<Zeros> zeros;
  std::vector<Ort::Value> in;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    in_names.emplace_back(session.GetInputNameAllocated(i, allocator).get());
    const auto given = inputs.find(in_names.back());
    FOGLINE_TRY(Zeros zero, MakeInput(in_names.back(), session.GetInputTypeInfo(i),
                                      given == inputs.end() ? nullptr : &given->second));
    in.push_back(std::move(zero.value));
    zeros.push_back(std::move(zero));
  }
  for (const auto& [name, type] : types) out_names.push_back(name);
  std::vector<const char*> in_pointers, out_pointers;
  for (const std::string& name : in_names) in_pointers.push_back(name.c_str());
  for (const std::string& name : out_names) out_pointers.push_back(name.c_str());
  const auto out = session.Run(Ort::RunOptions{nullptr}, in_pointers.data(), in.data(), in.size(),
                               out_pointers.data(), out_pointers.size());
  for (size_t i = 0; i < out.size(); ++i) {
    if (!out[i].IsTensor()) continue;
    const auto info = out[i].GetTensorTypeAndShapeInfo();
    const std::vector<int64_t> dims = info.GetShape();
    if (dims.size() > Shape::kMaxRank) continue;
    TensorType& type = types[out_names[i]];
    type.dtype = static_cast<DType>(info.GetElementType());
    type.shape = Shape(dims);
    type.has_shape = true;
    type.symbols.resize(dims.size());
  }
  return {};
}

Result<Types> TypesOf(std::span<const std::byte> model,
                      const std::map<std::string, RunInput>& run_on) {
  constexpr const char* kWhere = "model";
  try {
    SessionOptions options;
    options.optimize = false;
    Ort::SessionOptions to = ToEngine(options);
    // One run of one model needs neither an arena nor a plan of its memory.
    to.DisableCpuMemArena();
    to.DisableMemPattern();
    Ort::Session session(Environment(), model.data(), model.size(), to);
    Types types;
    Ort::AllocatorWithDefaultOptions allocator;
    for (size_t i = 0; i < session.GetOutputCount(); ++i) {
      types[session.GetOutputNameAllocated(i, allocator).get()] =
          ToType(session.GetOutputTypeInfo(i));
    }
    if (!run_on.empty()) FOGLINE_CHECK(RunOnce(session, run_on, types));
    return types;
  } catch (const Ort::Exception& e) {
    return tl::unexpected<Error>(FromEngine(e, kWhere));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kExhausted, kWhere, "does not fit into memory");
  }
}

}  // namespace

ShapeSource EngineShapes() { return TypesOf; }

}  // namespace fogline
