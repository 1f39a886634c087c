#include "base/hash.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <new>

#include "base/openssl.h"

namespace fogline {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Sha256 HashSha256(std::span<const std::byte> data) {
  SetUpOpenssl();
  Sha256 hash{};
  unsigned int length = 0;
  // It fails for want of memory alone: no hash is better than one that names other bytes.
  if (EVP_Digest(data.data(), data.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
  return hash;
}

std::string ToHex(const Sha256& hash) {
  std::string hex;
  hex.reserve(2 * hash.size());
  for (uint8_t byte : hash) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

Result<Sha256> ParseSha256(std::string_view hex) {
  Sha256 hash{};
  if (hex.size() != 2 * hash.size()) {
    return Fail(ErrorCode::kInvalid, std::string(hex), "is not a SHA-256 in hex (64 digits)");
  }
  for (size_t i = 0; i < hash.size(); ++i) {
    const int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return Fail(ErrorCode::kInvalid, std::string(hex), "is not a SHA-256 in hex (64 digits)");
    }
    hash[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return hash;
}

uint32_t Crc32(std::span<const std::byte> data) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(data.data()), data.size()));
}

}  // namespace fogline
