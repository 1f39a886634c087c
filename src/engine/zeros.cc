#include "engine/zeros.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace fogline {
namespace {

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

}  // namespace

Result<std::vector<Ort::Value>> RunOnZeros(Ort::Session& session,
                                           const std::vector<std::string>& outputs,
                                           const std::map<std::string, RunInput>& given) {
  Ort::AllocatorWithDefaultOptions allocator;
  std::vector<std::string> names;
  std::vector<Zeros> zeros;
  std::vector<Ort::Value> in;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    names.emplace_back(session.GetInputNameAllocated(i, allocator).get());
    const auto input = given.find(names.back());
    FOGLINE_TRY(Zeros zero, MakeInput(names.back(), session.GetInputTypeInfo(i),
                                      input == given.end() ? nullptr : &input->second));
    in.push_back(std::move(zero.value));
    zeros.push_back(std::move(zero));
  }
  std::vector<const char*> in_names, out_names;
  for (const std::string& name : names) in_names.push_back(name.c_str());
  for (const std::string& name : outputs) out_names.push_back(name.c_str());
  return session.Run(Ort::RunOptions{nullptr}, in_names.data(), in.data(), in.size(),
                     out_names.data(), out_names.size());
}

}  // namespace fogline
