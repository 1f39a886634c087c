#include "frame/frame.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/bytes.h"
#include "base/probability.h"
#include "base/text.h"
#include "vision/findings_bytes.h"

namespace fogline {
namespace {

constexpr uint8_t kVersion = 4;
// Of frames with a gate, and of unchanged pictures: all others are written so that older clouds
// read them.
constexpr uint8_t kWithGate = 5, kWithUnchanged = 6;
// Older versions that are still read.
constexpr uint8_t kWithoutTensors = 3, kWithoutCounts = 2, kWithoutTimeSource = 1;
constexpr size_t kPayloadsBeforeTensors = 8;
constexpr uint8_t kHasPosition = 1, kHasSettled = 2, kHasCounts = 4, kHasPicture = 8, kHasGate = 16;
constexpr uint8_t kIsUnchanged = 32;
constexpr uint8_t kLeft = 1;  // of a gate
// Of a result.
constexpr uint8_t kPositive = 1, kHasFindings = 2;
constexpr double kDegreeUnits = 1e7;
constexpr uint16_t kUnknown16 = 0xFFFF;
constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr size_t kLengthAt = 8;  // where the whole frame's length stands
// The last of the stages, in every version.
constexpr size_t kWindowAt = kLengthAt + 4 + 6 * 8 + 4 * 4;

tl::unexpected<Error> Bad(const char* what) {
  return Fail(ErrorCode::kInvalid, "frame", "{}", what);
}

/// Decimetres or hundredths of a degree in 16 bits; what does not fit is unknown.
uint16_t Pack16(float value, float units) {
  const float scaled = std::round(value * units);
  return std::isfinite(scaled) && scaled >= 0 && scaled < kUnknown16 ? static_cast<uint16_t>(scaled)
                                                                     : kUnknown16;
}
float Unpack16(uint16_t value, float units) {
  return value == kUnknown16 ? std::numeric_limits<float>::quiet_NaN()
                             : static_cast<float>(value) / units;
}

Status ParsePayload(ByteReader& reader, uint8_t version, Payload& payload) {
  payload.role = static_cast<Role>(reader.Read<uint8_t>());
  payload.tensor = 0;
  if (version > kWithoutTensors && payload.role == Role::kActivation) {
    payload.tensor = reader.Read<uint32_t>();
  }
  payload.codec = reader.Read<uint8_t>();
  payload.parameter = reader.Read<uint8_t>();
  payload.dtype = static_cast<DType>(reader.Read<uint8_t>());
  const auto rank = reader.Read<uint8_t>();
  if (rank > Shape::kMaxRank) return Bad("has a tensor of more than 8 dimensions");
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (size_t d = 0; d < rank; ++d) dims[d] = reader.Read<uint32_t>();
  payload.shape = Shape(std::span<const int64_t>(dims.data(), rank));
  const auto elements = payload.shape.Elements();
  if (!elements || *elements > kMaxElements) return Bad("has a tensor beyond 2^31 elements");
  const auto length = reader.Read<uint32_t>();
  payload.bytes = reader.Take(length);
  return {};
}

Status ParsePosition(ByteReader& reader, Frame& frame) {
  frame.has_position = true;
  frame.lat = reader.Read<int32_t>() / kDegreeUnits;
  frame.lon = reader.Read<int32_t>() / kDegreeUnits;
  frame.accuracy_m = Unpack16(reader.Read<uint16_t>(), 10);
  frame.heading_deg = Unpack16(reader.Read<uint16_t>(), 100);
  if (std::abs(frame.lat) <= 90 && std::abs(frame.lon) <= 180) return {};
  return Bad("has a position off the globe");
}

Status ParseGate(ByteReader& reader, FrameGate& gate) {
  gate.at = reader.Read<uint64_t>();
  gate.threshold = reader.Read<double>();
  const auto flags = reader.Read<uint8_t>();
  if (gate.at == 0 || !(gate.threshold >= 0 && gate.threshold <= 1) || (flags & ~kLeft) != 0) {
    return Bad("has a malformed gate");
  }
  gate.left = (flags & kLeft) != 0;
  return {};
}

}  // namespace

uint64_t ShortId(const Sha256& hash) {
  uint64_t id = 0;
  std::memcpy(&id, hash.data(), sizeof(id));
  return id;
}

PictureSize PictureSize::Of(int width, int height) {
  while (width > UINT16_MAX || height > UINT16_MAX) {
    width /= 2;
    height /= 2;
  }
  return {static_cast<uint16_t>(std::max(width, 1)), static_cast<uint16_t>(std::max(height, 1))};
}

uint32_t TensorId(std::string_view name) {
  const Sha256 hash = HashSha256(std::as_bytes(std::span(name.data(), name.size())));
  uint32_t id = 0;
  for (size_t i = 0; i < sizeof(id); ++i) id = id << 8 | hash[i];
  return id != 0 ? id : 1;
}

void Frame::Reset() {
  Frame fresh;
  fresh.device.swap(device);
  fresh.settled.swap(settled);
  fresh.payloads.swap(payloads);
  fresh.device.clear();
  fresh.settled.clear();
  fresh.payloads.clear();
  *this = std::move(fresh);
}

bool IsDeviceName(std::string_view name) {
  return !name.empty() && name.size() <= Frame::kMaxDeviceName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

Status WriteFrame(const Frame& frame, std::vector<std::byte>& out) {
  if (!IsDeviceName(frame.device)) {
    return Fail(ErrorCode::kUsage, frame.device,
                "is no device name: use 1 to {} of A-Z a-z 0-9 . _ -", Frame::kMaxDeviceName);
  }
  if (frame.payloads.size() > Frame::kMaxPayloads) {
    return Fail(ErrorCode::kUsage, "frame", "more than {} payloads", Frame::kMaxPayloads);
  }
  if (frame.settled.size() > Frame::kMaxSettled) {
    return Fail(ErrorCode::kUsage, "frame", "more than {} settled times", Frame::kMaxSettled);
  }
  out.clear();
  ByteWriter writer(out);
  writer.Write(Frame::kMagic);
  writer.Write(frame.unchanged_since ? kWithUnchanged : frame.gate ? kWithGate : kVersion);
  writer.Write(static_cast<uint8_t>(
      (frame.has_position ? kHasPosition : 0) | (frame.settled.empty() ? 0 : kHasSettled) |
      (frame.counts ? kHasCounts : 0) | (frame.picture.width > 0 ? kHasPicture : 0) |
      (frame.gate ? kHasGate : 0) | (frame.unchanged_since ? kIsUnchanged : 0)));
  writer.Write(static_cast<uint8_t>(frame.payloads.size()));
  writer.Write(static_cast<uint8_t>(frame.device.size()));
  writer.Write(uint32_t{0});  // the length, known at the end
  writer.Write(frame.run);
  writer.Write(frame.sequence);
  writer.Write(frame.captured_us);
  writer.Write(frame.model);
  writer.Write(frame.cut);
  writer.Write(frame.bundle);
  for (uint32_t stage : {frame.stages.read, frame.stages.resize, frame.stages.prefix,
                         frame.stages.encode, frame.stages.window}) {
    writer.Write(stage);
  }
  writer.Write(static_cast<uint8_t>(frame.captured_from));
  writer.Append(frame.device);
  if (frame.has_position) {
    writer.Write(static_cast<int32_t>(std::lround(frame.lat * kDegreeUnits)));
    writer.Write(static_cast<int32_t>(std::lround(frame.lon * kDegreeUnits)));
    writer.Write(Pack16(frame.accuracy_m, 10));
    writer.Write(Pack16(frame.heading_deg, 100));
  }
  if (!frame.settled.empty()) {
    writer.Write(static_cast<uint8_t>(frame.settled.size()));
    for (const Settled& settled : frame.settled) {
      writer.Write(settled.sequence);
      writer.Write(settled.network_us);
    }
  }
  if (frame.counts) {
    for (uint32_t count : {frame.counts->waiting, frame.counts->dead, frame.counts->dropped}) {
      writer.Write(count);
    }
  }
  if (frame.picture.width > 0) {
    writer.Write(frame.picture.width);
    writer.Write(frame.picture.height);
  }
  if (frame.gate) {
    writer.Write(frame.gate->at);
    writer.Write(frame.gate->threshold);
    writer.Write(static_cast<uint8_t>(frame.gate->left ? kLeft : 0));
  }
  if (frame.unchanged_since) writer.Write(*frame.unchanged_since);
  for (const Payload& payload : frame.payloads) {
    writer.Write(static_cast<uint8_t>(payload.role));
    if (payload.role == Role::kActivation) writer.Write(payload.tensor);
    writer.Write(payload.codec);
    writer.Write(payload.parameter);
    writer.Write(static_cast<uint8_t>(payload.dtype));
    writer.Write(static_cast<uint8_t>(payload.shape.rank()));
    for (int64_t d : payload.shape) writer.Write(static_cast<uint32_t>(d));
    writer.Write(static_cast<uint32_t>(payload.bytes.size()));
    writer.Append(payload.bytes);
  }
  writer.Patch(kLengthAt, static_cast<uint32_t>(out.size() + sizeof(uint32_t)));
  writer.Write(Crc32(out));
  return {};
}

void RestampWindow(uint32_t window_us, std::span<std::byte> frame) {
  std::memcpy(frame.data() + kWindowAt, &window_us, sizeof(window_us));
  const auto checked = frame.first(frame.size() - sizeof(uint32_t));
  const uint32_t checksum = Crc32(checked);
  std::memcpy(frame.data() + checked.size(), &checksum, sizeof(checksum));
}

Status ParseFrame(std::span<const std::byte> bytes, Frame& frame) {
  frame.Reset();
  ByteReader reader(bytes);
  if (reader.Read<uint32_t>() != Frame::kMagic)
    return Bad("does not start with FGL1: not a Fogline frame");
  const auto version = reader.Read<uint8_t>();
  if (version < kWithoutTimeSource || version > kWithUnchanged) {
    return Fail(ErrorCode::kUnsupported, "frame", "has version {}, this build reads {} to {}",
                version, kWithoutTimeSource, kWithUnchanged);
  }
  const auto flags = reader.Read<uint8_t>();
  const auto payloads = reader.Read<uint8_t>();
  const auto name_length = reader.Read<uint8_t>();
  const auto length = reader.Read<uint32_t>();
  if (!reader.ok() || length != bytes.size() || length < kLengthAt + 2 * sizeof(uint32_t)) {
    return Bad("is cut off or padded");
  }
  uint32_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + length - sizeof(checksum), sizeof(checksum));
  if (Crc32(bytes.first(length - sizeof(checksum))) != checksum) return Bad("fails its checksum");
  const uint8_t known_flags =
      kHasPosition | kHasSettled | (version > kWithoutCounts ? kHasCounts : 0) |
      (version > kWithoutTensors ? kHasPicture : 0) | (version >= kWithGate ? kHasGate : 0) |
      (version >= kWithUnchanged ? kIsUnchanged : 0);
  if ((flags & ~known_flags) != 0) return Bad("has unknown flags");
  const size_t most = version > kWithoutTensors ? Frame::kMaxPayloads : kPayloadsBeforeTensors;
  if (payloads > most) return Bad("has too many payloads");

  frame.run = reader.Read<uint64_t>();
  frame.sequence = reader.Read<uint64_t>();
  frame.captured_us = reader.Read<int64_t>();
  frame.model = reader.Read<uint64_t>();
  frame.cut = reader.Read<uint64_t>();
  frame.bundle = reader.Read<uint64_t>();
  for (uint32_t* stage : {&frame.stages.read, &frame.stages.resize, &frame.stages.prefix,
                          &frame.stages.encode, &frame.stages.window}) {
    *stage = reader.Read<uint32_t>();
  }
  const auto source =
      version > kWithoutTimeSource ? TimeSourceOf(reader.Read<uint8_t>()) : TimeSource::kClock;
  if (!source) return Bad("has a time of an unknown source");
  if (*source == TimeSource::kNone && frame.captured_us != 0) return Bad("has a time of no source");
  frame.captured_from = *source;
  frame.device = reader.TakeText(name_length);
  if (!IsDeviceName(frame.device)) return Bad("has no valid device name");
  if ((flags & kHasPosition) != 0) FOGLINE_CHECK(ParsePosition(reader, frame));
  const bool has_settled = (flags & kHasSettled) != 0;
  frame.settled.resize(has_settled ? reader.Read<uint8_t>() : 0);
  if (has_settled != !frame.settled.empty() || frame.settled.size() > Frame::kMaxSettled)
    return Bad("has no valid number of settled times");
  for (Settled& settled : frame.settled) {
    settled.sequence = reader.Read<uint64_t>();
    settled.network_us = reader.Read<uint32_t>();
  }
  if ((flags & kHasCounts) != 0) {
    DeviceCounts& counts = frame.counts.emplace();
    for (uint32_t* count : {&counts.waiting, &counts.dead, &counts.dropped}) {
      *count = reader.Read<uint32_t>();
    }
  }
  if ((flags & kHasPicture) != 0) {
    frame.picture.width = reader.Read<uint16_t>();
    frame.picture.height = reader.Read<uint16_t>();
    if (frame.picture.width == 0 || frame.picture.height == 0) return Bad("is of an empty picture");
  }
  if ((flags & kHasGate) != 0) FOGLINE_CHECK(ParseGate(reader, frame.gate.emplace()));
  if ((flags & kIsUnchanged) != 0) {
    frame.unchanged_since = reader.Read<uint64_t>();
    if (*frame.unchanged_since >= frame.sequence) return Bad("is like a picture that follows it");
  }
  frame.payloads.resize(payloads);
  for (Payload& payload : frame.payloads) FOGLINE_CHECK(ParsePayload(reader, version, payload));
  if (!reader.ok() || reader.remaining() != sizeof(checksum))
    return Bad("does not add up to its length");
  return {};
}

void WriteResult(const ResultPayload& result, std::vector<std::byte>& out) {
  ByteWriter writer(out);
  writer.Write(result.label);
  writer.Write(result.score);
  writer.Write(static_cast<uint8_t>((result.positive ? kPositive : 0) |
                                    (result.findings ? kHasFindings : 0)));
  const std::string_view text = std::string_view(result.text).substr(0, 255);
  writer.Write(static_cast<uint8_t>(text.size()));
  writer.Append(text);
  if (result.findings) WriteFindings(*result.findings, out);
}

Result<ResultPayload> ParseResult(std::span<const std::byte> bytes) {
  ByteReader reader(bytes);
  ResultPayload result;
  result.label = reader.Read<int32_t>();
  const auto score = ToProbability(reader.Read<float>());
  const auto flags = reader.Read<uint8_t>();
  result.text = reader.TakeText(reader.Read<uint8_t>());
  const auto rest = reader.Take(reader.remaining());
  const bool has_findings = (flags & kHasFindings) != 0;
  if (!reader.ok() || rest.empty() == has_findings || !score || !IsUtf8(result.text) ||
      (flags & ~(kPositive | kHasFindings)) != 0) {
    return Bad("has a malformed result");
  }
  result.positive = (flags & kPositive) != 0;
  result.score = *score;
  if (has_findings) {
    FOGLINE_TRY(result.findings, ParseFindings(rest));
  }
  return result;
}

}  // namespace fogline
