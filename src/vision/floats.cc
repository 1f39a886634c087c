#include "vision/floats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/half.h"

namespace fogline {
namespace {

template <typename T>
std::span<const float> Converted(const TensorView& tensor, std::vector<float>& room) {
  const auto values = tensor.as<T>();
  room.assign(values.begin(), values.end());
  return room;
}

}  // namespace

bool IsFloating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 ||
         dtype == DType::kF64;
}

std::span<const float> AsFloats(const TensorView& tensor, std::vector<float>& room) {
  switch (tensor.dtype) {
    case DType::kF32:
      return tensor.as<float>();
    case DType::kF16:
      room.resize(tensor.as<uint16_t>().size());
      FromHalf(tensor.as<uint16_t>(), room.data());
      return room;
    case DType::kBF16:
      room.clear();
      for (const uint16_t bits : tensor.as<uint16_t>()) {
        room.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
      }
      return room;
    case DType::kF64:
      return Converted<double>(tensor, room);
    case DType::kU8:
      return Converted<uint8_t>(tensor, room);
    case DType::kI8:
      return Converted<int8_t>(tensor, room);
    case DType::kU16:
      return Converted<uint16_t>(tensor, room);
    case DType::kI16:
      return Converted<int16_t>(tensor, room);
    default:
      return {};
  }
}

void RoundTo(std::span<const float> values, Tensor& to) {
  const auto into = [&]<typename T>(std::span<T> out) {
    constexpr float kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<T>(std::lrint(std::clamp(values[i], kLow, kHigh)));
    }
  };
  if (to.dtype() == DType::kU8) return into(to.as<uint8_t>());
  if (to.dtype() == DType::kI8) return into(to.as<int8_t>());
  std::ranges::copy(values, to.as<float>().begin());
}

std::span<const float> AsNumbers(const TensorView& tensor, std::vector<float>& room) {
  const auto whole = [&]<typename T>(std::span<const T> values) {
    room.clear();
    for (const T value : values) room.push_back(static_cast<float>(value));
    return std::span<const float>(room);
  };
  if (tensor.dtype == DType::kI32) return whole(tensor.as<int32_t>());
  if (tensor.dtype == DType::kI64) return whole(tensor.as<int64_t>());
  return AsFloats(tensor, room);
}

}  // namespace fogline
