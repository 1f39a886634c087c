// Any bytes as a bundle. The hash at its end would stop nearly every input, so it is made to fit
// first: what lies behind must hold against damage on its own.
#include <cstdlib>
#include <cstring>

#include "codec/bundle.h"
#include "codec/codec.h"
#include "codec/quant_codec.h"
#include "codec/quant_params.h"

using namespace fogline;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::byte> bytes(std::as_bytes(std::span(data, size)).begin(),
                               std::as_bytes(std::span(data, size)).end());
  (void)Bundle::Parse(bytes, "fuzz");
  if (bytes.size() >= sizeof(Sha256)) {
    const auto body = std::span(bytes).first(bytes.size() - sizeof(Sha256));
    const Sha256 hash = HashSha256(body);
    std::memcpy(bytes.data() + body.size(), hash.data(), hash.size());
    (void)Bundle::Parse(bytes, "fuzz");
  }
  // One tensor's section alone: what is read keeps its promises and is written back the same.
  const auto params = ReadQuantParams(std::as_bytes(std::span(data, size)));
  if (!params) return 0;
  if (!Check(*params) || *params->tensor.shape.Elements() > 1 << 16) return 0;
  for (const auto& [level, unused] : params->levels) {
    if (!MakeQuantCodec(*params, level, 0)) std::abort();
  }
  std::vector<std::byte> written;
  Write(*params, written);
  if (!ReadQuantParams(written)) std::abort();
  return 0;
}
