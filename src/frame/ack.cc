#include "frame/ack.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace fogline {
namespace {

constexpr uint32_t kPlain = 0x314B4146;       // "FAK1" in memory
constexpr uint32_t kWithResult = 0x324B4146;  // "FAK2"

}  // namespace

void WriteAck(const Ack& ack, std::vector<std::byte>& out) {
  out.clear();
  ByteWriter writer(out);
  writer.Write(ack.result ? kWithResult : kPlain);
  writer.Write(static_cast<uint8_t>(ack.status));
  const std::string_view message = std::string_view(ack.message).substr(0, 255);
  writer.Write(static_cast<uint8_t>(message.size()));
  writer.Write(ack.run);
  writer.Write(ack.sequence);
  for (uint32_t stage : {ack.stages.queue, ack.stages.decode, ack.stages.suffix, ack.stages.store,
                         ack.stages.total}) {
    writer.Write(stage);
  }
  writer.Write(ack.label);
  writer.Write(ack.score);
  writer.Append(message);
  if (ack.result) WriteResult(*ack.result, out);
  writer.Write(Crc32(out));
}

Result<Ack> ParseAck(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  Ack ack;
  const auto magic = reader.Read<uint32_t>();
  const auto status = reader.Read<uint8_t>();
  const auto length = reader.Read<uint8_t>();
  ack.status = static_cast<AckStatus>(status);
  ack.run = reader.Read<uint64_t>();
  ack.sequence = reader.Read<uint64_t>();
  for (uint32_t* stage : {&ack.stages.queue, &ack.stages.decode, &ack.stages.suffix,
                          &ack.stages.store, &ack.stages.total}) {
    *stage = reader.Read<uint32_t>();
  }
  ack.label = reader.Read<int32_t>();
  ack.score = reader.Read<float>();
  ack.message = reader.TakeText(length);
  std::span<const std::byte> found;
  if (magic == kWithResult && reader.remaining() > sizeof(uint32_t)) {
    found = reader.Take(reader.remaining() - sizeof(uint32_t));
  }
  const size_t body = reader.position();
  const auto checksum = reader.Read<uint32_t>();
  const bool known = magic == kPlain || (magic == kWithResult && !found.empty());
  if (!known || !reader.ok() || reader.remaining() != 0 ||
      status > static_cast<uint8_t>(AckStatus::kRetry) || Crc32(bytes.first(body)) != checksum) {
    return Fail(ErrorCode::kInvalid, "answer", "is no valid acknowledgement");
  }
  if (found.empty()) return ack;
  auto result = ParseResult(found);
  if (result) {
    ack.result = *std::move(result);
  } else if (result.error().code != ErrorCode::kUnsupported) {
    return Forward(std::move(result));
  }
  return ack;
}

}  // namespace fogline
