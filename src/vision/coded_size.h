// The size that a coded picture's own header claims: HEVC and AV1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fogline {

struct CodedSize {
  int64_t width = 0, height = 0;
};

/// Of a NAL unit of HEVC (ITU-T H.265, 7.3.2.2): nothing if it is no sequence parameter set.
std::optional<CodedSize> SizeInNal(std::span<const std::byte> unit);
/// The largest of NAL units with four bytes of length in front of each.
std::optional<CodedSize> LargestInNals(std::span<const std::byte> units);
/// The largest in open bitstream units of AV1 (its specification, 5.5): nothing without a sequence
/// header.
std::optional<CodedSize> LargestInObus(std::span<const std::byte> units);

}  // namespace fogline
