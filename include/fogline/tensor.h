// Dense tensors, and NumPy files of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "fogline/result.h"

namespace fogline::v1 {

/// Element types, numbered as ONNX's TensorProto.DataType.
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
/// "float32", "uint8", …; "undefined" for what has no name.
FOGLINE_API const char* NameOf(DType dtype);
/// Bytes of one element; 0 for kUndefined and kString.
FOGLINE_API size_t ElementBytes(DType dtype);

/// A tensor as a model declares it. A dimension of -1 is open: it may differ from run to run.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kUndefined;
  std::vector<int64_t> shape;

  /// Bytes of such a tensor; -1 where a dimension is open or elements have no fixed size.
  FOGLINE_API int64_t bytes() const;
};

/// Somebody else's elements, dense and row-major, in the machine's byte order. They must outlive
/// the call that they are given to.
struct TensorView {
  DType dtype = DType::kUndefined;
  std::vector<int64_t> shape;
  const void* data = nullptr;
  size_t bytes = 0;
};

/// Elements with shared ownership: copying a Tensor copies the handle. At most 8 dimensions.
class Tensor {
 public:
  Tensor() = default;
  /// Fresh memory, aligned to 64 bytes, its elements not set. kUsage for a negative dimension,
  /// more than 8 of them, or a dtype without a size.
  FOGLINE_API static Result<Tensor> Make(DType dtype, std::vector<int64_t> shape);
  /// Memory that `owner` keeps alive.
  Tensor(DType dtype, std::vector<int64_t> shape, std::shared_ptr<void> owner, void* data,
         size_t bytes)
      : dtype_(dtype),
        shape_(std::move(shape)),
        owner_(std::move(owner)),
        data_(data),
        bytes_(bytes) {}

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  void* data() { return data_; }
  const void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  /// The elements as T, which must be what they are.
  template <typename T>
  T* as() {
    return static_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data_);
  }
  TensorView view() const { return {dtype_, shape_, data_, bytes_}; }
  /// Keeps the memory alive for as long as somebody holds it.
  const std::shared_ptr<void>& owner() const { return owner_; }

 private:
  DType dtype_ = DType::kUndefined;
  std::vector<int64_t> shape_;
  std::shared_ptr<void> owner_;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// A NumPy file. kInvalid, naming the file, for what is none, is big-endian or in Fortran order.
FOGLINE_API Result<Tensor> ReadNpy(const std::string& path);
FOGLINE_API Status WriteNpy(const std::string& path, const TensorView& tensor);

}  // namespace fogline::v1
