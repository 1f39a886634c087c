// Any bytes as a frame, a JSON frame, an answer: refused with an error or read; what is read as a
// binary frame is written again to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/hash.h"
#include "frame/ack.h"
#include "frame/frame.h"
#include "frame/json_findings.h"
#include "frame/json_frame.h"
#include "vision/findings_bytes.h"
#include "vision/findings_json.h"

namespace {

using namespace fogline;

/// What is read as findings can be stored and is read again as itself.
void Found(std::span<const std::byte> bytes) {
  const auto found = ParseFindings(bytes);
  if (!found) return;
  std::vector<std::byte> again;
  WriteFindings(*found, again);
  const auto reread = ParseFindings(again);
  if (!CheckFindings(*found) || again.size() > kMaxFindingsBytes || !reread || *reread != *found) {
    std::abort();
  }
  std::string json = "{";
  AppendFindingsJson(json, *found);
  if (SaysMore(*found) && !ParseFindingsJson(json + "}")) std::abort();
}

void Said(std::span<const std::byte> bytes) {
  const auto result = ParseResult(bytes);
  if (!result) return;
  std::vector<std::byte> again;
  WriteResult(*result, again);
  const auto reread = ParseResult(again);
  if (!reread || reread->text != result->text || reread->findings != result->findings) std::abort();
}

/// An answer counts whatever was found; what is read as found is written and read as itself.
void Answered(std::span<const std::byte> bytes) {
  const auto ack = ParseAck(bytes);
  if (!ack) return;
  std::vector<std::byte> again;
  WriteAck(*ack, again);
  const auto reread = ParseAck(again);
  if (!reread || reread->sequence != ack->sequence || reread->message != ack->message ||
      reread->result.has_value() != ack->result.has_value()) {
    std::abort();
  }
  if (ack->result && reread->result->findings != ack->result->findings) std::abort();
}

void Binary(std::span<const std::byte> bytes) {
  Frame frame;
  if (!ParseFrame(bytes, frame)) return;
  for (const Payload& payload : frame.payloads) {
    if (payload.role == Role::kResult) Said(payload.bytes);
  }
  std::vector<std::byte> again;
  Frame reread;
  // Not always the same bytes (a NaN score, say), but always the same meaning.
  if (!WriteFrame(frame, again) || !ParseFrame(again, reread) || reread.run != frame.run ||
      reread.payloads.size() != frame.payloads.size()) {
    std::abort();
  }
}

/// Tensors lie within the bytes that they were read from, one behind the other.
void Tensors(const Frame& frame, std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  for (const Payload& payload : frame.payloads) {
    if (payload.role != Role::kActivation) continue;
    if (payload.bytes.data() < at) std::abort();
    at = payload.bytes.data() + payload.bytes.size();
  }
  if (at > bytes.data() + bytes.size() || frame.payloads.size() > Frame::kMaxPayloads) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  Binary(bytes);
  Answered(bytes);
  Said(bytes);
  Found(bytes);
  (void)ParseFindingsJson({reinterpret_cast<const char*>(data), size});
  Frame frame;
  std::vector<std::byte> scratch;
  if (ParseJsonFrame(bytes, frame, scratch)) Tensors(frame, bytes);
  // A hostile sender computes its own checksum and length: get past them, to what they guard.
  if (size >= 16) {
    std::vector<std::byte> sealed(bytes.begin(), bytes.end());
    const auto length = static_cast<uint32_t>(size);
    for (const char* start : {"FGL1\x01", "FGL1\x02", "FGL1\x03", "FGL1\x04"}) {
      std::memcpy(sealed.data(), start, 5);
      std::memcpy(sealed.data() + 8, &length, 4);
      const uint32_t crc = Crc32(std::span(sealed).first(size - 4));
      std::memcpy(sealed.data() + size - 4, &crc, 4);
      Binary(sealed);
    }
    for (const char* start : {"FAK1", "FAK2"}) {
      std::memcpy(sealed.data(), start, 4);
      std::memcpy(sealed.data() + 8, bytes.data() + 8, 4);
      const uint32_t crc = Crc32(std::span(sealed).first(size - 4));
      std::memcpy(sealed.data() + size - 4, &crc, 4);
      Answered(sealed);
    }
  }
  return 0;
}
