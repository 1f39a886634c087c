#include "codec/codec.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/text.h"
#include "codec/json_codec.h"
#include "codec/quant_codec.h"
#include "codec/quant_params.h"
#include "codec/raw_codec.h"

namespace fogline {
namespace {

constexpr int kMinLevel = 2, kMaxLevel = 8;

/// A whole decimal number in [low, high].
std::optional<int> ParseNumber(std::string_view text, int low, int high) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || text[0] == '-' || error != std::errc() || stop != end) return std::nullopt;
  return value < low || value > high ? std::nullopt : std::optional(value);
}

/// Names the parameters that a code was made with.
uint64_t TagOf(const Bundle& bundle, const QuantParams& params, int level) {
  std::vector<std::byte> text;
  ByteWriter writer(text);
  writer.Append(std::as_bytes(std::span(bundle.hash())));
  writer.Write(params.cut_id);
  writer.Append(params.tensor.name);
  writer.Write(static_cast<uint8_t>(level));
  const Sha256 hash = HashSha256(text);
  uint64_t tag = 0;
  for (int i = 0; i < 8; ++i) tag |= static_cast<uint64_t>(hash[i]) << (8 * i);
  return tag;
}

Result<std::unique_ptr<TensorCodec>> MakeCalibrated(const CodecName& name, const Port& tensor,
                                                    const Bundle* bundle, uint64_t cut_id) {
  if (bundle == nullptr) {
    return Fail(ErrorCode::kNotFound, tensor.name,
                "{} needs a calibration bundle: run fogline calibrate", ToString(name));
  }
  const QuantParams* params = bundle->Find(cut_id, tensor.name);
  if (params == nullptr) {
    return Fail(ErrorCode::kNotFound, tensor.name,
                "the bundle was not calibrated for {} at this cut", ToString(name));
  }
  if (params->tensor.shape != tensor.shape) {
    return Fail(ErrorCode::kConflict, tensor.name, "the bundle was calibrated for {}, not {}",
                params->tensor.shape.ToString(), tensor.shape.ToString());
  }
  return MakeQuantCodec(*params, name.parameter, TagOf(*bundle, *params, name.parameter));
}

}  // namespace

Result<CodecName> ParseCodec(std::string_view text) {
  if (text == "json") return CodecName{CodecKind::kJson, 0};
  if (text == "f32" || text == "raw") return CodecName{CodecKind::kF32, 0};
  if (text == "f16") return CodecName{CodecKind::kF16, 0};
  if (text.starts_with('q')) {
    if (const auto n = ParseNumber(text.substr(1), kMinLevel, kMaxLevel)) {
      return CodecName{CodecKind::kQuant, *n};
    }
  }
  for (const auto& [prefix, kind] :
       {std::pair("jpeg:", CodecKind::kJpeg), std::pair("webp:", CodecKind::kWebp)}) {
    if (text.starts_with(prefix)) {
      if (const auto n = ParseNumber(text.substr(5), 1, 100)) return CodecName{kind, *n};
      return Fail(ErrorCode::kUsage, std::string(text),
                  "is not a codec: the quality after '{}' is a number from 1 to 100", prefix);
    }
  }
  static const std::vector<std::string> kNames{"json", "f32", "f16", "q2", "q3",      "q4",
                                               "q5",   "q6",  "q7",  "q8", "jpeg:90", "webp:90"};
  return Fail(ErrorCode::kUsage, std::string(text),
              "is not a codec: json, f32, f16, q2…q8, jpeg:Q or webp:Q{}",
              DidYouMean(text, kNames));
}

std::string ToString(const CodecName& name) {
  switch (name.kind) {
    case CodecKind::kJson:
      return "json";
    case CodecKind::kF32:
      return "f32";
    case CodecKind::kF16:
      return "f16";
    case CodecKind::kQuant:
      return fmt::format("q{}", name.parameter);
    case CodecKind::kJpeg:
      return fmt::format("jpeg:{}", name.parameter);
    case CodecKind::kWebp:
      return fmt::format("webp:{}", name.parameter);
  }
  return "unknown";
}

Result<std::vector<CodecName>> ParseCodecs(std::string_view text) {
  std::vector<CodecName> names;
  for (;;) {
    const size_t plus = text.find('+');
    FOGLINE_TRY(const CodecName name, ParseCodec(text.substr(0, plus)));
    names.push_back(name);
    if (plus == std::string_view::npos) return names;
    text.remove_prefix(plus + 1);
  }
}

std::string ToString(std::span<const CodecName> names) {
  const bool alike = std::ranges::all_of(names, [&](const auto& n) { return n == names.front(); });
  std::string text;
  for (const CodecName& name : alike && !names.empty() ? names.first(1) : names) {
    if (!text.empty()) text += '+';
    text += ToString(name);
  }
  return text;
}

Result<CodecName> CodecFromWire(uint8_t kind, uint8_t parameter) {
  const CodecName name{static_cast<CodecKind>(kind), parameter};
  const auto read = ParseCodec(ToString(name));
  if (kind > static_cast<uint8_t>(CodecKind::kWebp) || !read || *read != name) {
    return Fail(ErrorCode::kInvalid, "frame", "names no codec by kind {} and parameter {}", kind,
                parameter);
  }
  return name;
}

Result<std::unique_ptr<TensorCodec>> MakeCodec(const CodecName& name, const Port& tensor,
                                               const Bundle* bundle, uint64_t cut_id) {
  if (!tensor.Bytes()) {
    return Fail(ErrorCode::kUnsupported, tensor.name, "{} {} has no fixed size to code",
                DTypeName(tensor.dtype), tensor.shape.ToString());
  }
  const bool f32 = tensor.dtype == DType::kF32;
  switch (name.kind) {
    case CodecKind::kJson:
      return MakeJsonCodec(tensor);
    case CodecKind::kF32:
      return MakeRawCodec(tensor);
    case CodecKind::kF16:
      return f32 ? MakeHalfCodec(tensor) : MakeRawCodec(tensor);
    case CodecKind::kQuant:
      if (!CanBeQuantised(tensor.dtype) || *tensor.Bytes() == 0) return MakeRawCodec(tensor);
      // A bundle from before they could be has nothing for 8-bit numbers.
      if (!f32 && bundle != nullptr && bundle->Find(cut_id, tensor.name) == nullptr) {
        return MakeRawCodec(tensor);
      }
      return MakeCalibrated(name, tensor, bundle, cut_id);
    case CodecKind::kJpeg:
    case CodecKind::kWebp:
      return Fail(ErrorCode::kUnsupported, tensor.name,
                  "{} codes pictures, not tensors: only the cut at the model's input takes it",
                  ToString(name));
  }
  return Fail(ErrorCode::kInternal, tensor.name, "no such codec");
}

}  // namespace fogline
