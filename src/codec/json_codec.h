// Tensors as JSON text: what the paper's Python pipeline sends, kept as the far end to compare
// with.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/tensor.h"

namespace fogline {

class TensorCodec;

/// Nested lists, one level a dimension, byte for byte what Python's
/// `json.dumps(numpy_array.tolist())` writes: ", " between items, floats widened to double and
/// printed as repr() does, NaN, Infinity and -Infinity by name. Reads any JSON of that form.
Result<std::unique_ptr<TensorCodec>> MakeJsonCodec(const Port& tensor);

}  // namespace fogline
