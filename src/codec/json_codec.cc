#include "codec/json_codec.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/half.h"
#include "codec/codec.h"
#include "codec/raw_codec.h"

namespace fogline {
namespace {

void Append(std::vector<std::byte>& out, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), bytes, bytes + text.size());
}

/// Python's repr(float): the shortest digits that read back as the same double, in scientific
/// notation below 1e-4 and from 1e16.
void AppendDouble(std::vector<std::byte>& out, double value) {
  if (std::isnan(value)) return Append(out, "NaN");
  if (std::isinf(value)) return Append(out, value < 0 ? "-Infinity" : "Infinity");
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  const std::string_view digits(text, end - text);
  Append(out, digits);
  if (fixed && digits.find('.') == std::string_view::npos) Append(out, ".0");
}

/// A tensor's elements by dtype: how one is written and read back.
template <typename T>
struct Element {
  static void Write(std::vector<std::byte>& out, T value) {
    if constexpr (std::is_floating_point_v<T>) {
      AppendDouble(out, value);
    } else {
      char text[24];
      Append(out, {text, static_cast<size_t>(std::to_chars(text, text + 24, value).ptr - text)});
    }
  }
};

/// Forward reader over the text; every failure is final.
class JsonReader {
 public:
  explicit JsonReader(std::span<const std::byte> text)
      : at_(reinterpret_cast<const char*>(text.data())), end_(at_ + text.size()) {}

  bool Eat(std::string_view token) {
    SkipSpace();
    if (static_cast<size_t>(end_ - at_) < token.size() ||
        std::memcmp(at_, token.data(), token.size()) != 0) {
      return false;
    }
    at_ += token.size();
    return true;
  }

  template <typename T>
  bool Number(T& value) {
    SkipSpace();
    if constexpr (std::is_floating_point_v<T>) {
      if (Eat("NaN")) return value = std::numeric_limits<T>::quiet_NaN(), true;
      if (Eat("Infinity")) return value = std::numeric_limits<T>::infinity(), true;
      if (Eat("-Infinity")) return value = -std::numeric_limits<T>::infinity(), true;
      // from_chars also reads "inf" and "nan(…)", which are not ours.
      const char* first = at_ != end_ && *at_ == '-' ? at_ + 1 : at_;
      if (first == end_ || *first < '0' || *first > '9') return false;
      double read = 0;
      const auto [stop, error] = std::from_chars(at_, end_, read);
      if (error != std::errc() || std::abs(read) > std::numeric_limits<T>::max()) return false;
      at_ = stop;
      value = static_cast<T>(read);
      return true;
    } else {
      const auto [stop, error] = std::from_chars(at_, end_, value);
      at_ = stop;
      return error == std::errc();
    }
  }

  bool AtEnd() {
    SkipSpace();
    return at_ == end_;
  }

 private:
  void SkipSpace() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  const char* at_;
  const char* end_;
};

class JsonCodec final : public TensorCodec {
 public:
  explicit JsonCodec(Port port) : port_(std::move(port)), item_bytes_(ElementBytes(port_.dtype)) {}

  Status Encode(const TensorView& tensor, std::vector<std::byte>& out) override {
    FOGLINE_CHECK(CheckTensor(port_, tensor));
    const std::byte* item = tensor.data.data();
    WriteLevel(0, item, out);
    return {};
  }

  Status Decode(std::span<const std::byte> code, Tensor& out) override {
    Prepare(port_, out);
    JsonReader reader(code);
    std::byte* item = out.bytes().data();
    if (!ReadLevel(0, reader, item) || !reader.AtEnd()) {
      return Fail(ErrorCode::kInvalid, port_.name, "is not JSON of {} {}", DTypeName(port_.dtype),
                  port_.shape.ToString());
    }
    return {};
  }

 private:
  void WriteLevel(size_t dim, const std::byte*& item, std::vector<std::byte>& out) const {
    if (dim == port_.shape.rank()) {
      WriteItem(item, out);
      item += item_bytes_;
      return;
    }
    Append(out, "[");
    for (int64_t i = 0; i < port_.shape[dim]; ++i) {
      if (i > 0) Append(out, ", ");
      WriteLevel(dim + 1, item, out);
    }
    Append(out, "]");
  }

  bool ReadLevel(size_t dim, JsonReader& reader, std::byte*& item) const {
    if (dim == port_.shape.rank()) {
      if (!ReadItem(reader, item)) return false;
      item += item_bytes_;
      return true;
    }
    if (!reader.Eat("[")) return false;
    for (int64_t i = 0; i < port_.shape[dim]; ++i) {
      if (i > 0 && !reader.Eat(",")) return false;
      if (!ReadLevel(dim + 1, reader, item)) return false;
    }
    return reader.Eat("]");
  }

  /// Calls `use` with a value of the C++ type that dtype() stands for.
  template <typename Use>
  bool WithType(const Use& use) const {
    switch (port_.dtype) {
      case DType::kF32:
        return use(float{});
      case DType::kF64:
        return use(double{});
      case DType::kU8:
        return use(uint8_t{});
      case DType::kI8:
        return use(int8_t{});
      case DType::kU16:
        return use(uint16_t{});
      case DType::kI16:
        return use(int16_t{});
      case DType::kI32:
        return use(int32_t{});
      case DType::kU32:
        return use(uint32_t{});
      case DType::kI64:
        return use(int64_t{});
      case DType::kU64:
        return use(uint64_t{});
      default:
        return false;
    }
  }

  void WriteItem(const std::byte* item, std::vector<std::byte>& out) const {
    if (port_.dtype == DType::kBool) return Append(out, *item == std::byte{0} ? "false" : "true");
    if (port_.dtype == DType::kF16) {
      uint16_t half;
      std::memcpy(&half, item, 2);
      return AppendDouble(out, FromHalf(half));
    }
    WithType([&](auto value) {
      std::memcpy(&value, item, sizeof(value));
      Element<decltype(value)>::Write(out, value);
      return true;
    });
  }

  bool ReadItem(JsonReader& reader, std::byte* item) const {
    if (port_.dtype == DType::kBool) {
      const bool yes = reader.Eat("true");
      *item = static_cast<std::byte>(yes);
      return yes || reader.Eat("false");
    }
    if (port_.dtype == DType::kF16) {
      float value = 0;
      if (!reader.Number(value)) return false;
      const uint16_t half = ToHalf(value);
      std::memcpy(item, &half, 2);
      return true;
    }
    return WithType([&](auto value) {
      if (!reader.Number(value)) return false;
      std::memcpy(item, &value, sizeof(value));
      return true;
    });
  }

  Port port_;
  size_t item_bytes_;
};

}  // namespace

Result<std::unique_ptr<TensorCodec>> MakeJsonCodec(const Port& tensor) {
  if (tensor.dtype == DType::kBF16) {
    return Fail(ErrorCode::kUnsupported, tensor.name, "bfloat16 has no JSON codec: send it as f32");
  }
  return std::make_unique<JsonCodec>(tensor);
}

}  // namespace fogline
