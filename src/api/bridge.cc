#include "api/bridge.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/log.h"

namespace fogline {
namespace {

/// The library says what it has to say in results: stderr is the program's.
const bool quiet = [] {
  SetLogLevel(LogLevel::kOff);
  return true;
}();

}  // namespace

v1::Error Outside(const Error& error) {
  return {static_cast<v1::ErrorCode>(error.code), error.where, error.message};
}

v1::Status Outside(Status status) {
  if (!status) return Outside(status.error());
  return {};
}

v1::TensorSpec Outside(const Port& port) {
  return {port.name, static_cast<v1::DType>(port.dtype), {port.shape.begin(), port.shape.end()}};
}

std::vector<v1::TensorSpec> Outside(const std::vector<Port>& ports) {
  std::vector<v1::TensorSpec> specs;
  for (const Port& port : ports) specs.push_back(Outside(port));
  return specs;
}

v1::Tensor Outside(Tensor tensor) {
  const auto dtype = static_cast<v1::DType>(tensor.dtype());
  std::vector<int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  auto owner = std::make_shared<Tensor>(std::move(tensor));
  const std::span<std::byte> data = owner->bytes();
  return {dtype, std::move(shape), std::move(owner), data.data(), data.size()};
}

Result<Shape> Inside(const std::vector<int64_t>& shape, const std::string& where) {
  if (shape.size() > Shape::kMaxRank) {
    return Fail(ErrorCode::kUsage, where, "has {} dimensions, more than {}", shape.size(),
                Shape::kMaxRank);
  }
  return Shape(shape);
}

Result<Port> Inside(const v1::TensorSpec& spec) {
  FOGLINE_TRY(const Shape shape, Inside(spec.shape, spec.name));
  return Port{spec.name, static_cast<DType>(spec.dtype), shape};
}

Result<TensorView> Inside(const v1::TensorView& view, const std::string& where) {
  FOGLINE_TRY(const Shape shape, Inside(view.shape, where));
  const auto dtype = static_cast<DType>(view.dtype);
  const auto bytes = Port{{}, dtype, shape}.Bytes();
  if (!bytes || std::cmp_not_equal(*bytes, view.bytes)) {
    return Fail(ErrorCode::kInvalid, where, "is {} {}, which {} bytes are not", DTypeName(dtype),
                shape.ToString(), view.bytes);
  }
  if (view.data == nullptr && view.bytes > 0) {
    return Fail(ErrorCode::kUsage, where, "has no data: a null pointer");
  }
  return TensorView{dtype, shape, {static_cast<const std::byte*>(view.data), view.bytes}};
}

}  // namespace fogline
