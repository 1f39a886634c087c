// Tensor ⇄ bytes: what crosses the line between edge and cloud.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "codec/bundle.h"

namespace fogline {

/// Wire values: a number is never given a second meaning.
enum class CodecKind : uint8_t {
  kJson = 0,   // nested lists of numbers as text, as Python's json.dumps(tensor.tolist()) writes
  kF32 = 1,    // the tensor's memory as it is, whatever its dtype
  kF16 = 2,    // IEEE 754 half precision
  kQuant = 3,  // calibrated quantiser and entropy coder; the parameter is its level, 2…8
  kJpeg = 4,   // pictures only, coded by vision/; the parameter is the quality, 1…100
  kWebp = 5,   // pictures only, likewise
};

/// A codec as the command line and the wire name it: "q4" is {kQuant, 4}, "jpeg:90" {kJpeg, 90};
/// the parameter is 0 where there is none.
struct CodecName {
  CodecKind kind = CodecKind::kF32;
  int parameter = 0;
  friend bool operator==(const CodecName&, const CodecName&) = default;
};

/// Reads json, f32 (or raw), f16, q2…q8, jpeg:1…jpeg:100, webp:1…webp:100; kUsage with the nearest
/// name for anything else.
Result<CodecName> ParseCodec(std::string_view text);
std::string ToString(const CodecName& name);
/// Codecs joined by '+', one a tensor that crosses or one for all of them.
Result<std::vector<CodecName>> ParseCodecs(std::string_view text);
/// The same text; a single name where all are alike.
std::string ToString(std::span<const CodecName> names);
/// The same check for the two numbers of a frame: kInvalid when they name no codec.
Result<CodecName> CodecFromWire(uint8_t kind, uint8_t parameter);

/// Codes tensors of one dtype and shape. Keeps buffers between calls, so one thread at a time.
class TensorCodec {
 public:
  virtual ~TensorCodec() = default;

  /// Appends the tensor's code to `out`; allocates nothing once `out` has grown to its size.
  /// kInvalid when the tensor is not of the codec's dtype and shape.
  virtual Status Encode(const TensorView& tensor, std::vector<std::byte>& out) = 0;

  /// Any bytes give a tensor of the declared dtype and shape, or kInvalid; time and memory are
  /// bounded by the declared shape and the input's length. `out` is written in place when it
  /// already has that dtype and shape (whoever shares its memory sees the change), else replaced.
  virtual Status Decode(std::span<const std::byte> code, Tensor& out) = 0;
};

/// The codec `name` for a tensor of a static shape. json, f32 and f16 need no bundle; kQuant looks
/// up the parameters calibrated for (cut_id, tensor name, level) in `bundle`, which it copies from.
/// Tensors that are not float32 travel raw under f16, under kQuant those that are neither that nor
/// of 8 bits. kJpeg and kWebp are kUnsupported
/// here: they code pictures, not tensors (vision/image.h).
Result<std::unique_ptr<TensorCodec>> MakeCodec(const CodecName& name, const Port& tensor,
                                               const Bundle* bundle, uint64_t cut_id);

}  // namespace fogline
