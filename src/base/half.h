// IEEE 754 half precision in portable integer code that compilers vectorise, the same bits on
// every machine.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

namespace fogline {

/// Nearest half, ties to even. What is finite stays finite: magnitudes past 65504 become 65504.
/// Infinities stay, a NaN becomes the quiet NaN of its sign.
inline uint16_t ToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  // Normal halves: rebias the exponent by 127 − 15 and round the 13 bits that fall away.
  const uint32_t normal = (magnitude - (112U << 23) + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
  // Subnormal halves: adding 0.5 leaves their 2^-24 steps in the low bits, rounded by the adder.
  const float lifted = std::bit_cast<float>(magnitude < 0x38800000U ? magnitude : 0U) + 0.5F;
  const uint32_t subnormal = std::bit_cast<uint32_t>(lifted) - 0x3F000000U;
  uint32_t half = magnitude < 0x38800000U ? subnormal : normal;
  half = magnitude >= 0x477FF000U ? 0x7BFFU : half;  // would round to 65536
  half = magnitude == 0x7F800000U ? 0x7C00U : half;
  half = magnitude > 0x7F800000U ? 0x7E00U : half;
  return static_cast<uint16_t>(sign | half);
}

/// Exact.
inline float FromHalf(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16;
  const uint32_t magnitude = half & 0x7FFFU;
  const uint32_t normal = (magnitude << 13) + (112U << 23);
  const uint32_t special = (magnitude << 13) | 0x7F800000U;
  const uint32_t subnormal = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24F);
  const uint32_t bits = magnitude < 0x400U ? subnormal : magnitude >= 0x7C00U ? special : normal;
  return std::bit_cast<float>(sign | bits);
}

/// The same for many; `to` has room for as many as `from` holds.
void ToHalf(std::span<const float> from, uint16_t* to);
void FromHalf(std::span<const uint16_t> from, float* to);

}  // namespace fogline
