// Any numbers as a mask or as a list of numbers, of any shape and type, and any text as the card:
// findings come out that a frame may carry and read again, or an error. The first bytes choose
// shape, type and rules.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "vision/findings_bytes.h"
#include "vision/verdict.h"

namespace {

using namespace fogline;

constexpr DType kTypes[] = {DType::kF32, DType::kF16,  DType::kF64, DType::kU8,  DType::kI32,
                            DType::kI64, DType::kBool, DType::kI8,  DType::kBF16};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 10) return 0;
  ModelCard card;
  card.output = std::string("y");
  card.width = 1 + data[0] % 40;
  card.height = 1 + data[1] % 40;
  card.kind = (data[2] & 1) != 0 ? ModelCard::Kind::kNumbers : ModelCard::Kind::kMask;
  if ((data[2] & 2) != 0) card.labels = {"a", "b"};
  if ((data[2] & 4) != 0) card.labels = {"a", "b", "c"};
  if ((data[2] & 8) != 0) card.units = {"m"};
  if ((data[2] & 16) != 0) card.mask.channels_last = (data[2] & 32) != 0;
  if ((data[2] & 64) != 0) card.mask.logits = (data[2] & 128) != 0;
  card.mask.least_score = data[3] / 255.0;
  card.crop = static_cast<ModelCard::Crop>(data[4] % 3);
  card.anchor = static_cast<ModelCard::Anchor>(data[4] % 2);
  card.verdict.given = (data[4] & 128) != 0;
  card.verdict.least_share = 0.25;
  card.verdict.number = std::string("a");
  card.verdict.least = 0;
  const Placement place = PlacementOf(data[5], data[6], card);
  const DType type = kTypes[data[7] % std::size(kTypes)];
  const int64_t a = 1 + data[8] % 8, b = 1 + data[8] / 8, c = 1 + data[9] % 40;
  const Shape shapes[] = {{1, a, b, c}, {1, b, c, a}, {1, b, c}, {b, c}, {1, a}, {a, b, c, 2, 3}};
  const Shape shape = shapes[data[9] / 43];
  data += 10;
  size -= 10;
  Tensor tensor(type, shape);
  const auto bytes = tensor.bytes();
  const size_t own = std::min(size, bytes.size());
  if (own > 0) std::memcpy(bytes.data(), data, own);
  std::memset(bytes.data() + own, 0, bytes.size() - own);
  const std::vector<Tensor> outputs{tensor};
  const std::vector<Port> ports{{"y", type, shape}};
  const auto read = ReadOutputs(outputs, ports, 0, card, place);
  if (read) {
    if (!CheckFindings(*read)) __builtin_trap();
    std::vector<std::byte> written;
    WriteFindings(*read, written);
    const auto again = ParseFindings(written);
    if (!again || *again != *read) __builtin_trap();
    (void)Judge(*read, card);
  }
  const auto parsed = ParseFindings({reinterpret_cast<const std::byte*>(data), size});
  if (parsed && !CheckFindings(*parsed)) __builtin_trap();
  const std::string toml(reinterpret_cast<const char*>(data), size);
  (void)ParseCard(toml, "fuzz", "/nonexistent", {{"x", DType::kF32, Shape{1, 3, 32, 32}}}, ports);
  return 0;
}
