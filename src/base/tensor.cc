#include "base/tensor.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <new>

namespace fogline {
namespace {
constexpr size_t kAlignment = 64;
}

size_t ElementBytes(DType dtype) {
  switch (dtype) {
    case DType::kU8:
    case DType::kI8:
    case DType::kBool:
      return 1;
    case DType::kU16:
    case DType::kI16:
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kF32:
    case DType::kI32:
    case DType::kU32:
      return 4;
    case DType::kI64:
    case DType::kU64:
    case DType::kF64:
      return 8;
    case DType::kUndefined:
    case DType::kString:
      return 0;
  }
  return 0;
}

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kUndefined:
      return "undefined";
    case DType::kF32:
      return "float32";
    case DType::kU8:
      return "uint8";
    case DType::kI8:
      return "int8";
    case DType::kU16:
      return "uint16";
    case DType::kI16:
      return "int16";
    case DType::kI32:
      return "int32";
    case DType::kI64:
      return "int64";
    case DType::kString:
      return "string";
    case DType::kBool:
      return "bool";
    case DType::kF16:
      return "float16";
    case DType::kF64:
      return "float64";
    case DType::kU32:
      return "uint32";
    case DType::kU64:
      return "uint64";
    case DType::kBF16:
      return "bfloat16";
  }
  return "undefined";
}

Shape::Shape(std::span<const int64_t> dims) : rank_(std::min(dims.size(), kMaxRank)) {
  std::copy_n(dims.begin(), rank_, dims_.begin());
}

bool Shape::IsStatic() const {
  return std::all_of(begin(), end(), [](int64_t d) { return d >= 0; });
}

std::optional<int64_t> Shape::Elements() const {
  int64_t product = 1;
  for (int64_t d : *this) {
    if (d < 0 || __builtin_mul_overflow(product, d, &product)) return std::nullopt;
  }
  return product;
}

std::string Shape::ToString() const {
  if (rank_ == 0) return "scalar";
  std::string text;
  for (int64_t d : *this) {
    if (!text.empty()) text += 'x';
    text += d < 0 ? "?" : std::to_string(d);
  }
  return text;
}

Result<Shape> ParseShape(std::string_view text) {
  std::array<int64_t, Shape::kMaxRank> dims{};
  size_t rank = 0;
  for (std::string_view rest = text;;) {
    const size_t x = rest.find('x');
    const std::string_view part = rest.substr(0, x);
    if (rank == Shape::kMaxRank) {
      return Fail(ErrorCode::kUsage, std::string(text), "has more than {} dimensions",
                  Shape::kMaxRank);
    }
    int64_t value = -1;
    if (part != "?") {
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
      if (error != std::errc() || end != part.data() + part.size() || value <= 0) {
        return Fail(ErrorCode::kUsage, std::string(text),
                    "is not a shape: write positive sizes as in 1x3x160x160");
      }
    }
    dims[rank++] = value;
    if (x == std::string_view::npos) break;
    rest.remove_prefix(x + 1);
  }
  return Shape(std::span<const int64_t>(dims.data(), rank));
}

std::optional<int64_t> Port::Bytes() const {
  const auto elements = shape.Elements();
  const auto element = static_cast<int64_t>(ElementBytes(dtype));
  int64_t bytes = 0;
  if (!elements || element == 0 || __builtin_mul_overflow(*elements, element, &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  const size_t bytes = static_cast<size_t>(shape.Elements().value_or(0)) * ElementBytes(dtype);
  const size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  owner_ = std::shared_ptr<void>(memory, std::free);
  data_ = {static_cast<std::byte*>(memory), bytes};
}

Tensor Tensor::Copy() const {
  Tensor copy(dtype_, shape_);
  std::ranges::copy(data_, copy.data_.begin());
  return copy;
}

}  // namespace fogline
