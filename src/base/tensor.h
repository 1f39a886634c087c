// Element types, shapes and tensors: the vocabulary that graph, engine, codec and frame share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

/// Element types, numbered as ONNX's TensorProto.DataType so that they can be stored and sent as
/// they are.
enum class DType : uint8_t {
  kUndefined = 0,
  kF32 = 1,
  kU8 = 2,
  kI8 = 3,
  kU16 = 4,
  kI16 = 5,
  kI32 = 6,
  kI64 = 7,
  kString = 8,
  kBool = 9,
  kF16 = 10,
  kF64 = 11,
  kU32 = 12,
  kU64 = 13,
  kBF16 = 16,
};

/// Bytes of one element; 0 for kUndefined and kString, which have no fixed size.
size_t ElementBytes(DType dtype);

/// ONNX's own spelling: "float32", "uint8", …; "undefined" for what has no name.
std::string_view DTypeName(DType dtype);

/// Up to 8 dimensions, without an allocation. A dimension of -1 is open (known only at run time).
class Shape {
 public:
  static constexpr size_t kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Ranks past kMaxRank are cut off; readers of foreign data check the rank first.
  explicit Shape(std::span<const int64_t> dims);

  size_t rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  int64_t operator[](size_t i) const { return dims_[i]; }
  int64_t& operator[](size_t i) { return dims_[i]; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  std::span<const int64_t> dims() const { return {dims_.data(), rank_}; }

  bool IsStatic() const;
  /// Elements of a static shape (1 for a scalar); nullopt when a dimension is open or the product
  /// overflows.
  std::optional<int64_t> Elements() const;
  /// "1x3x160x160"; an open dimension prints as "?", a scalar as "scalar".
  std::string ToString() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  size_t rank_ = 0;
};

/// Reads "1x3x160x160"; dimensions are positive, or "?" for open.
Result<Shape> ParseShape(std::string_view text);

/// A tensor's name and type as a model declares it.
struct Port {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;

  /// Bytes when static and of fixed element size; nullopt otherwise.
  std::optional<int64_t> Bytes() const;
};

/// Somebody else's dense, row-major elements.
struct TensorView {
  DType dtype = DType::kUndefined;
  Shape shape;
  std::span<const std::byte> data;

  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
};

/// Dense, row-major elements with shared ownership: copying a Tensor copies the handle. The memory
/// may belong to the engine (its outputs are handed on without a copy).
class Tensor {
 public:
  Tensor() = default;
  /// Fresh, uninitialised memory, aligned to 64 bytes. The shape must be static, the dtype of fixed
  /// size.
  Tensor(DType dtype, const Shape& shape);
  /// Memory that `owner` keeps alive.
  Tensor(DType dtype, const Shape& shape, std::shared_ptr<void> owner, std::span<std::byte> data)
      : dtype_(dtype), shape_(shape), owner_(std::move(owner)), data_(data) {}

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  bool empty() const { return data_.empty(); }
  std::span<std::byte> bytes() { return data_; }
  std::span<const std::byte> bytes() const { return data_; }
  template <typename T>
  std::span<T> as() {
    return {reinterpret_cast<T*>(data_.data()), data_.size() / sizeof(T)};
  }
  template <typename T>
  std::span<const T> as() const {
    return {reinterpret_cast<const T*>(data_.data()), data_.size() / sizeof(T)};
  }
  TensorView view() const { return {dtype_, shape_, data_}; }
  /// The same in memory of its own.
  Tensor Copy() const;

 private:
  DType dtype_ = DType::kUndefined;
  Shape shape_;
  std::shared_ptr<void> owner_;
  std::span<std::byte> data_;
};

}  // namespace fogline
