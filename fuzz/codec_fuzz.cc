// Any bytes as the code of a tensor: a tensor of the declared shape, or an error. The first byte
// picks the codec; what decodes is encoded again, which must decode too.
#include <cmath>
#include <cstdlib>

#include "codec/codec.h"
#include "codec/fit.h"
#include "codec/quant_codec.h"

namespace {

using namespace fogline;

const Port kPort{"x", DType::kF32, {1, 12, 4, 5}};

std::unique_ptr<TensorCodec> MakeQuant() {
  CoefficientSample sample(*MakeLayout(kPort.shape, false));
  Tensor tensor(kPort.dtype, kPort.shape);
  for (int n = 0; n < 8; ++n) {
    const auto values = tensor.as<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>((i * 7 + static_cast<size_t>(n) * 13) % 29) / 8.0F - 1.5F;
    }
    sample.Add(values.data());
  }
  QuantParams params = FitMeans(0, kPort, sample);
  params.levels[4] = FitLevel(params, sample, 0.5F);
  return std::move(*MakeQuantCodec(params, 4, 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<TensorCodec> codecs[] = {
      MakeQuant(), std::move(*MakeCodec({CodecKind::kJson, 0}, kPort, nullptr, 0)),
      std::move(*MakeCodec({CodecKind::kF16, 0}, kPort, nullptr, 0)),
      std::move(*MakeCodec({CodecKind::kF32, 0}, kPort, nullptr, 0))};
  if (size == 0) return 0;
  TensorCodec& codec = *codecs[data[0] % 4];
  const auto code = std::as_bytes(std::span(data, size)).subspan(1);
  Tensor tensor, again;
  if (!codec.Decode(code, tensor)) return 0;
  if (tensor.dtype() != kPort.dtype || tensor.shape() != kPort.shape) std::abort();
  std::vector<std::byte> back;
  const Status encoded = codec.Encode(tensor.view(), back);
  bool finite = true;
  for (const float v : tensor.as<float>()) finite = finite && std::isfinite(v);
  if (!encoded && finite) std::abort();
  if (encoded && !codec.Decode(back, again)) std::abort();
  return 0;
}
