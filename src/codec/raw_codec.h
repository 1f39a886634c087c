// The codecs that keep one fixed size: memory as it is, and half precision.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

class TensorCodec;

/// Copies memory: any dtype of fixed size.
Result<std::unique_ptr<TensorCodec>> MakeRawCodec(const Port& tensor);

/// float32 as IEEE half precision, see half.h for the rounding.
Result<std::unique_ptr<TensorCodec>> MakeHalfCodec(const Port& tensor);

/// kInvalid, naming the tensor, unless `view` has the port's dtype, shape and that many bytes.
Status CheckTensor(const Port& port, const TensorView& view);

/// Gives `out` the port's dtype and shape: kept as it is where it has them, replaced otherwise.
void Prepare(const Port& port, Tensor& out);

}  // namespace fogline
