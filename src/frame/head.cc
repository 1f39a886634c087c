#include "frame/head.h"

#include "base/bytes.h"
#include "frame/frame.h"
#include "frame/json_frame.h"

namespace fogline {

std::optional<FrameHead> ReadFrameHead(std::span<const std::byte> bytes) {
  if (IsJsonFrame(bytes)) return ReadJsonFrameHead(bytes);
  ByteReader reader(bytes);
  if (reader.Read<uint32_t>() != Frame::kMagic) return std::nullopt;
  reader.Read<uint32_t>();  // version, flags, counts
  reader.Read<uint32_t>();  // length
  FrameHead head;
  head.run = reader.Read<uint64_t>();
  head.sequence = reader.Read<uint64_t>();
  reader.Read<int64_t>();  // captured
  head.model = reader.Read<uint64_t>();
  head.cut = reader.Read<uint64_t>();
  head.bundle = reader.Read<uint64_t>();
  if (!reader.ok()) return std::nullopt;
  return head;
}

}  // namespace fogline
