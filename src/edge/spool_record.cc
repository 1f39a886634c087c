#include "edge/spool_record.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace fogline {
namespace {

constexpr uint32_t kFrameMagic = 0x31465346;  // "FSF1" in memory
constexpr uint32_t kMarkMagic = 0x314D5346;   // "FSM1"
constexpr size_t kMarkBytes = kSpoolHeaderBytes + 12;
constexpr size_t kCheckedFrom = 8;  // behind kind and checksum

/// Leaves room for what is known at the end; where the item begins.
size_t Begin(ByteWriter& writer, uint32_t magic) {
  const size_t at = writer.size();
  writer.Write(magic);
  writer.Write(uint32_t{0});  // checksum
  writer.Write(uint32_t{0});  // length
  return at;
}

void End(ByteWriter& writer, size_t at, const std::vector<std::byte>& out) {
  writer.Patch(at + kCheckedFrom, static_cast<uint32_t>(out.size() - at));
  writer.Patch(at + 4, Crc32(std::span(out).subspan(at + kCheckedFrom)));
}

bool IsMagic(uint32_t magic) { return magic == kFrameMagic || magic == kMarkMagic; }

std::optional<SpoolItem> ItemAt(std::span<const std::byte> segment, size_t at) {
  const auto rest = segment.subspan(at);
  const size_t length = ClaimedSpoolItem(rest);
  if (length == 0 || length > rest.size()) return std::nullopt;
  ByteReader reader(rest.first(length));
  const auto magic = reader.Read<uint32_t>();
  if (reader.Read<uint32_t>() != Crc32(rest.subspan(kCheckedFrom, length - kCheckedFrom))) {
    return std::nullopt;
  }
  SpoolItem item;
  item.offset = at;
  item.end = at + length;
  item.is_frame = magic == kFrameMagic;
  reader.Read<uint32_t>();  // the length
  if (item.is_frame) {
    item.frame.run = reader.Read<uint64_t>();
    item.frame.sequence = reader.Read<uint64_t>();
    item.frame.started = Nanos(reader.Read<int64_t>());
    EdgeStages& s = item.frame.stages;
    for (uint32_t* stage : {&s.read, &s.resize, &s.prefix, &s.encode, &s.window}) {
      *stage = reader.Read<uint32_t>();
    }
    item.bytes = reader.Take(reader.remaining());
  } else {
    item.mark.segment = reader.Read<uint64_t>();
    item.mark.offset = reader.Read<uint32_t>();
  }
  return item;
}

}  // namespace

void WriteSpoolFrame(const SpoolFrame& frame, std::span<const std::byte> bytes,
                     std::vector<std::byte>& out) {
  ByteWriter writer(out);
  const size_t at = Begin(writer, kFrameMagic);
  writer.Write(frame.run);
  writer.Write(frame.sequence);
  writer.Write(static_cast<int64_t>(frame.started.count()));
  const EdgeStages& s = frame.stages;
  for (uint32_t stage : {s.read, s.resize, s.prefix, s.encode, s.window}) writer.Write(stage);
  writer.Append(bytes);
  End(writer, at, out);
}

void WriteSpoolMark(SpoolPlace done, std::vector<std::byte>& out) {
  ByteWriter writer(out);
  const size_t at = Begin(writer, kMarkMagic);
  writer.Write(done.segment);
  writer.Write(done.offset);
  End(writer, at, out);
}

size_t ClaimedSpoolItem(std::span<const std::byte> header) {
  ByteReader reader(header);
  const auto magic = reader.Read<uint32_t>();
  reader.Read<uint32_t>();
  const auto length = reader.Read<uint32_t>();
  if (!reader.ok() || !IsMagic(magic)) return 0;
  const bool fits = magic == kFrameMagic ? length >= kSpoolFrameBytes : length == kMarkBytes;
  return fits ? length : 0;
}

std::optional<SpoolItem> NextSpoolItem(std::span<const std::byte> segment, size_t at) {
  static constexpr std::array<std::byte, 2> kBoth{std::byte{'F'}, std::byte{'S'}};
  while (at + kSpoolHeaderBytes <= segment.size()) {
    if (auto item = ItemAt(segment, at)) return item;
    const auto next = std::search(segment.begin() + static_cast<ptrdiff_t>(at) + 1, segment.end(),
                                  kBoth.begin(), kBoth.end());
    at = static_cast<size_t>(next - segment.begin());
  }
  return std::nullopt;
}

}  // namespace fogline
