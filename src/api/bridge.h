// From the house's values to the library's, and back. The library's are those of include/fogline,
// in namespace fogline::v1.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "fogline/result.h"
#include "fogline/tensor.h"

namespace fogline {

v1::Error Outside(const Error& error);
v1::Status Outside(Status status);
template <typename T>
v1::Result<T> Outside(Result<T>&& result) {
  if (!result) return Outside(result.error());
  return *std::move(result);
}

v1::TensorSpec Outside(const Port& port);
std::vector<v1::TensorSpec> Outside(const std::vector<Port>& ports);
v1::Tensor Outside(Tensor tensor);

/// kUsage for more dimensions than there can be.
Result<Shape> Inside(const std::vector<int64_t>& shape, const std::string& where);
Result<Port> Inside(const v1::TensorSpec& spec);
/// kInvalid, naming `where`, for a tensor whose bytes are not what dtype and shape promise.
Result<TensorView> Inside(const v1::TensorView& view, const std::string& where);

}  // namespace fogline
