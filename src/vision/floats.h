// A tensor's elements as floats, whatever type of number they are.
#pragma once

#include <span>
#include <vector>

#include "base/tensor.h"

namespace fogline {

/// True for the types that hold fractions: float16, bfloat16, float32 and float64.
bool IsFloating(DType dtype);

/// The elements: where they lie when they are float32, else converted in `room`. Of types without
/// fractions only those of 8 and 16 bits; nothing for the others, which count or name something.
std::span<const float> AsFloats(const TensorView& tensor, std::vector<float>& room);

/// Writes floats into a tensor of as many 8-bit numbers or float32: rounded to the nearest, what is
/// beyond them to the last.
void RoundTo(std::span<const float> values, Tensor& to);

/// The same as AsFloats, and whole numbers of 32 and 64 bits too, rounded to what a float holds.
std::span<const float> AsNumbers(const TensorView& tensor, std::vector<float>& room);

}  // namespace fogline
