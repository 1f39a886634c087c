#include "vision/coded_size.h"

#include <algorithm>
#include <vector>

namespace fogline {
namespace {

using Bytes = std::span<const std::byte>;

/// Bits from the highest of the first byte on; behind the end zeros.
class Bits {
 public:
  explicit Bits(Bytes bytes) : bytes_(bytes) {}

  uint64_t Take(int count) {
    uint64_t value = 0;
    for (; count > 0; --count, ++at_) {
      const bool there = at_ / 8 < bytes_.size();
      const auto byte = there ? std::to_integer<unsigned>(bytes_[at_ / 8]) : 0U;
      value = value << 1 | (byte >> (7 - at_ % 8) & 1);
    }
    return value;
  }
  bool Flag() { return Take(1) != 0; }
  void Skip(size_t count) { at_ += count; }
  /// Exp-Golomb (H.265, 9.2), which AV1 calls uvlc.
  uint64_t Golomb() {
    int zeros = 0;
    while (zeros < 32 && !Flag()) ++zeros;
    return (uint64_t{1} << zeros) - 1 + Take(zeros);
  }
  bool ok() const { return at_ <= bytes_.size() * 8; }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

/// The bytes of a NAL unit without those that only keep start codes from appearing in it.
std::vector<std::byte> WithoutPrevention(Bytes unit) {
  constexpr size_t kMost = 4096;  // sizes come first
  std::vector<std::byte> bytes;
  int zeros = 0;
  for (const std::byte b : unit.first(std::min(unit.size(), kMost))) {
    if (zeros >= 2 && b == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = b == std::byte{0} ? zeros + 1 : 0;
    bytes.push_back(b);
  }
  return bytes;
}

void SkipProfile(Bits& bits, uint64_t sub_layers) {
  constexpr size_t kProfile = 88, kLevel = 8;
  bits.Skip(kProfile + kLevel);
  size_t more = 0;
  for (uint64_t i = 0; i < sub_layers; ++i) {
    if (bits.Flag()) more += kProfile;
    if (bits.Flag()) more += kLevel;
  }
  if (sub_layers > 0) bits.Skip(2 * (8 - sub_layers));
  bits.Skip(more);
}

/// What of an AV1 sequence header stands in front of the size (5.5.1).
void SkipOperatingPoints(Bits& bits) {
  int delay_bits = 0;
  bool model = false;
  if (bits.Flag()) {  // timing
    bits.Skip(64);
    if (bits.Flag()) bits.Golomb();
    model = bits.Flag();
    if (model) {
      delay_bits = static_cast<int>(bits.Take(5)) + 1;
      bits.Skip(32 + 5 + 5);
    }
  }
  const bool delays = bits.Flag();
  for (uint64_t points = bits.Take(5) + 1; points > 0; --points) {
    bits.Skip(12);
    if (bits.Take(5) > 7) bits.Skip(1);
    if (model && bits.Flag()) bits.Skip(static_cast<size_t>(2 * delay_bits + 1));
    if (delays && bits.Flag()) bits.Skip(4);
  }
}

std::optional<CodedSize> SizeInSequenceHeader(Bytes body) {
  Bits bits(body);
  bits.Skip(3 + 1);
  if (bits.Flag()) {
    bits.Skip(5);  // the short form that still pictures may have
  } else {
    SkipOperatingPoints(bits);
  }
  const int width_bits = static_cast<int>(bits.Take(4)) + 1;
  const int height_bits = static_cast<int>(bits.Take(4)) + 1;
  CodedSize size;
  size.width = static_cast<int64_t>(bits.Take(width_bits)) + 1;
  size.height = static_cast<int64_t>(bits.Take(height_bits)) + 1;
  return bits.ok() ? std::optional(size) : std::nullopt;
}

void KeepLarger(std::optional<CodedSize>& largest, const std::optional<CodedSize>& size) {
  if (!size) return;
  if (!largest || size->width * size->height > largest->width * largest->height) largest = size;
}

}  // namespace

std::optional<CodedSize> SizeInNal(Bytes unit) {
  constexpr unsigned kSequenceParameters = 33;
  if (unit.size() < 2 || (std::to_integer<unsigned>(unit[0]) >> 1 & 63) != kSequenceParameters) {
    return std::nullopt;
  }
  const std::vector<std::byte> bytes = WithoutPrevention(unit);
  Bits bits(bytes);
  bits.Skip(16 + 4);
  const uint64_t sub_layers = bits.Take(3);
  bits.Skip(1);
  SkipProfile(bits, sub_layers);
  bits.Golomb();
  if (bits.Golomb() == 3) bits.Skip(1);
  CodedSize size;
  size.width = static_cast<int64_t>(bits.Golomb() & UINT32_MAX);
  size.height = static_cast<int64_t>(bits.Golomb() & INT32_MAX);
  return bits.ok() ? std::optional(size) : std::nullopt;
}

std::optional<CodedSize> LargestInNals(Bytes units) {
  std::optional<CodedSize> largest;
  while (units.size() > 4) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<size_t>(units[i]);
    const Bytes rest = units.subspan(4);
    KeepLarger(largest, SizeInNal(rest.first(std::min(length, rest.size()))));
    if (length >= rest.size()) break;
    units = rest.subspan(length);
  }
  return largest;
}

std::optional<CodedSize> LargestInObus(Bytes units) {
  constexpr unsigned kSequenceHeader = 1;
  std::optional<CodedSize> largest;
  while (!units.empty()) {
    const auto head = std::to_integer<unsigned>(units[0]);
    units = units.subspan(std::min<size_t>((head >> 2 & 1) != 0 ? 2 : 1, units.size()));
    uint64_t length = units.size();
    if ((head >> 1 & 1) != 0) {
      length = 0;
      for (int shift = 0; shift < 56 && !units.empty(); shift += 7) {
        const auto byte = std::to_integer<uint64_t>(units[0]);
        units = units.subspan(1);
        length |= (byte & 127) << shift;
        if (byte < 128) break;
      }
    }
    const Bytes body = units.first(static_cast<size_t>(std::min<uint64_t>(length, units.size())));
    if ((head >> 3 & 15) == kSequenceHeader) KeepLarger(largest, SizeInSequenceHeader(body));
    units = units.subspan(body.size());
  }
  return largest;
}

}  // namespace fogline
