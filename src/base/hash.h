// Content hashes: SHA-256 names models and bundles, CRC-32 guards frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fogline {

using Sha256 = std::array<uint8_t, 32>;

Sha256 HashSha256(std::span<const std::byte> data);
/// 64 lower-case hex digits.
std::string ToHex(const Sha256& hash);
Result<Sha256> ParseSha256(std::string_view hex);

/// CRC-32 as in zlib, PNG and Ethernet (reflected polynomial 0xEDB88320).
uint32_t Crc32(std::span<const std::byte> data);

}  // namespace fogline
