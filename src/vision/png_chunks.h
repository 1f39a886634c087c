// The chunks of a PNG file, one after the other, without a library and without believing their
// lengths.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace fogline {

struct PngChunk {
  std::string_view kind;            // four letters, or whatever stands there
  std::span<const std::byte> body;  // as much of it as the file has
  bool whole = true;                // the file has all that the chunk says it has
};

/// Takes the first chunk off `rest`, which begins behind the file's eight bytes of signature.
/// Nothing once fewer bytes are left than a length and a kind have.
inline std::optional<PngChunk> TakePngChunk(std::span<const std::byte>& rest) {
  constexpr size_t kInFront = 8, kChecksum = 4;
  if (rest.size() < kInFront) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<size_t>(rest[i]);
  PngChunk chunk{{reinterpret_cast<const char*>(rest.data()) + 4, 4}, {}, true};
  chunk.whole = kInFront + length + kChecksum <= rest.size();
  chunk.body = rest.subspan(kInFront, std::min(length, rest.size() - kInFront));
  rest = chunk.whole ? rest.subspan(kInFront + length + kChecksum) : std::span<const std::byte>();
  return chunk;
}

}  // namespace fogline
