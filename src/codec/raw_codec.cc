#include "codec/raw_codec.h"

#include <cstring>

#include "base/half.h"
#include "codec/codec.h"

namespace fogline {
namespace {

class RawCodec final : public TensorCodec {
 public:
  explicit RawCodec(Port port) : port_(std::move(port)) {}

  Status Encode(const TensorView& tensor, std::vector<std::byte>& out) override {
    FOGLINE_CHECK(CheckTensor(port_, tensor));
    out.insert(out.end(), tensor.data.begin(), tensor.data.end());
    return {};
  }

  Status Decode(std::span<const std::byte> code, Tensor& out) override {
    if (code.size() != static_cast<size_t>(*port_.Bytes())) {
      return Fail(ErrorCode::kInvalid, port_.name, "{} bytes of raw {} {} expected, got {}",
                  *port_.Bytes(), DTypeName(port_.dtype), port_.shape.ToString(), code.size());
    }
    Prepare(port_, out);
    if (!code.empty()) std::memcpy(out.bytes().data(), code.data(), code.size());
    return {};
  }

 private:
  Port port_;
};

class HalfCodec final : public TensorCodec {
 public:
  explicit HalfCodec(Port port)
      : port_(std::move(port)), elements_(static_cast<size_t>(*port_.shape.Elements())) {}

  Status Encode(const TensorView& tensor, std::vector<std::byte>& out) override {
    FOGLINE_CHECK(CheckTensor(port_, tensor));
    const size_t at = out.size();
    out.resize(at + 2 * elements_);
    const auto values = tensor.as<float>();
    // By blocks through an aligned buffer: `out` may end at an odd address.
    for (size_t i = 0; i < elements_; i += kBlock) {
      const size_t count = std::min(kBlock, elements_ - i);
      uint16_t block[kBlock];
      ToHalf(values.subspan(i, count), block);
      std::memcpy(out.data() + at + 2 * i, block, 2 * count);
    }
    return {};
  }

  Status Decode(std::span<const std::byte> code, Tensor& out) override {
    if (code.size() != 2 * elements_) {
      return Fail(ErrorCode::kInvalid, port_.name, "{} bytes of float16 {} expected, got {}",
                  2 * elements_, port_.shape.ToString(), code.size());
    }
    Prepare(port_, out);
    const auto values = out.as<float>();
    for (size_t i = 0; i < elements_; i += kBlock) {
      const size_t count = std::min(kBlock, elements_ - i);
      uint16_t block[kBlock];
      std::memcpy(block, code.data() + 2 * i, 2 * count);
      FromHalf({block, count}, values.data() + i);
    }
    return {};
  }

 private:
  static constexpr size_t kBlock = 1024;
  Port port_;
  size_t elements_;
};

}  // namespace

Status CheckTensor(const Port& port, const TensorView& view) {
  if (view.dtype != port.dtype || view.shape != port.shape ||
      view.data.size() != static_cast<size_t>(*port.Bytes())) {
    return Fail(ErrorCode::kInvalid, port.name, "its codec takes {} {}, got {} {} of {} bytes",
                DTypeName(port.dtype), port.shape.ToString(), DTypeName(view.dtype),
                view.shape.ToString(), view.data.size());
  }
  return {};
}

void Prepare(const Port& port, Tensor& out) {
  if (out.dtype() == port.dtype && out.shape() == port.shape &&
      out.bytes().size() == static_cast<size_t>(*port.Bytes())) {
    return;
  }
  out = Tensor(port.dtype, port.shape);
}

Result<std::unique_ptr<TensorCodec>> MakeRawCodec(const Port& tensor) {
  return std::make_unique<RawCodec>(tensor);
}

Result<std::unique_ptr<TensorCodec>> MakeHalfCodec(const Port& tensor) {
  return std::make_unique<HalfCodec>(tensor);
}

}  // namespace fogline
