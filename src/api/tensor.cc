#include "fogline/tensor.h"

#include <algorithm>

#include "api/bridge.h"
#include "base/npy.h"
#include "base/tensor.h"
#include "fogline/cut.h"
#include "graph/cut.h"

namespace fogline::v1 {

const char* NameOf(ErrorCode code) {
  static constexpr const char* kNames[] = {"usage",       "not found",   "invalid",
                                           "unsupported", "unavailable", "exhausted",
                                           "conflict",    "cancelled",   "internal"};
  return kNames[std::clamp(static_cast<int>(code), 0, 8)];
}

const char* NameOf(DType dtype) { return DTypeName(static_cast<fogline::DType>(dtype)).data(); }

size_t ElementBytes(DType dtype) {
  return fogline::ElementBytes(static_cast<fogline::DType>(dtype));
}

const char* NameOf(Mechanism mechanism) {
  return fogline::NameOf(static_cast<MechanismKind>(mechanism));
}

int64_t TensorSpec::bytes() const {
  const auto port = Inside(*this);
  return port ? port->Bytes().value_or(-1) : -1;
}

Result<Tensor> Tensor::Make(DType dtype, std::vector<int64_t> shape) {
  const TensorSpec spec{"tensor", dtype, std::move(shape)};
  if (spec.bytes() < 0) {
    return Error{ErrorCode::kUsage, "tensor", "of such a dtype and shape has no size"};
  }
  return Outside(fogline::Tensor(static_cast<fogline::DType>(dtype), Shape(spec.shape)));
}

Result<Tensor> ReadNpy(const std::string& path) {
  return Outside(
      fogline::ReadNpy(path).map([](auto tensor) { return Outside(std::move(tensor)); }));
}

Status WriteNpy(const std::string& path, const TensorView& tensor) {
  const auto view = Inside(tensor, path);
  return Outside(view ? fogline::WriteNpy(path, *view)
                      : fogline::Status(tl::unexpected(view.error())));
}

}  // namespace fogline::v1
