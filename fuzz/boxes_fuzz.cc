// Any numbers as the outputs of a detector of any layout, and any text as its card: boxes come out
// that a frame may carry, or an error. The first bytes choose layout and rules.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "vision/average_precision.h"
#include "vision/box_layout.h"
#include "vision/boxes.h"
#include "vision/verdict.h"

namespace {

using namespace fogline;

constexpr int kWidth = 64, kHeight = 32;
constexpr int64_t kCells = 8 * 4 + 4 * 2 + 2 * 1;

/// Shapes that fit a layout in a picture of this size, small enough that inputs can fill them.
std::vector<Shape> ShapesFor(BoxLayout layout) {
  switch (layout) {
    case BoxLayout::kYolov5:
      return {{1, 30, 8}};
    case BoxLayout::kYolov8:
      return {{1, 7, 30}};
    case BoxLayout::kYolox:
      return {{1, kCells, 8}};
    case BoxLayout::kNanodet:
    case BoxLayout::kPicodet:
      return {{32, 3}, {8, 3}, {2, 3}, {32, 16}, {8, 16}, {2, 16}};
    case BoxLayout::kFastestdet:
      return {{1, 8, 2, 4}};
    case BoxLayout::kSsd:
    case BoxLayout::kRetina:
      return {{1, 2 * kCells, 4}, {1, 2 * kCells, 2}};
    case BoxLayout::kUltraface:
      return {{1, 30, 4}, {1, 30, 2}};
    case BoxLayout::kYunet:
      return {{1, 32, 1}, {1, 8, 1},  {1, 2, 1}, {1, 32, 1}, {1, 8, 1},
              {1, 2, 1},  {1, 32, 4}, {1, 8, 4}, {1, 2, 4}};
    case BoxLayout::kBlazeface:
      return {{1, 896, 16}, {1, 896, 1}};
    case BoxLayout::kNms:
      return {{1, 40, 6}};
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  const auto layout = static_cast<BoxLayout>(data[0] % BoxLayouts().size());
  ModelCard card;
  card.kind = ModelCard::Kind::kBoxes;
  card.width = layout == BoxLayout::kBlazeface ? 32 : kWidth;
  card.height = kHeight;
  card.labels = {"a", "b"};
  card.boxes = WithAnchors(layout, {});
  if (layout == BoxLayout::kSsd) {
    card.boxes.strides = {8, 16, 32};
    card.boxes.sizes = {{8, 16}, {16, 32}, {32, 64}};
  }
  card.boxes.logits = (data[1] & 1) != 0;
  card.boxes.least_score = data[2] / 255.0;
  card.boxes.overlap = data[3] / 255.0;
  card.boxes.most = 1 + data[4];
  card.crop = static_cast<ModelCard::Crop>(data[5] % 3);
  const Placement place = PlacementOf(1 + data[6], 1 + data[7], card);
  data += 8;
  size -= 8;
  std::vector<Tensor> outputs;
  std::vector<Port> ports;
  for (const Shape& shape : ShapesFor(layout)) {
    Tensor tensor(DType::kF32, shape);
    const auto bytes = tensor.bytes();
    const size_t own = std::min(size, bytes.size());
    if (own > 0) std::memcpy(bytes.data(), data, own);
    std::memset(bytes.data() + own, 0, bytes.size() - own);
    data += own;
    size -= own;
    ports.push_back({"y", DType::kF32, shape});
    outputs.push_back(std::move(tensor));
  }
  const auto read = ReadOutputs(outputs, ports, 0, card, place);
  if (read) {
    if (!CheckFindings(*read)) __builtin_trap();
    const auto& boxes = std::get<BoxFindings>(*read).boxes;
    if (boxes.size() > static_cast<size_t>(card.boxes.most)) __builtin_trap();
    if (!std::ranges::is_sorted(boxes, std::greater<>(), &FoundBox::score)) __builtin_trap();
    (void)Judge(*read, card);
    JudgedPicture picture;
    picture.found = boxes;
    for (const FoundBox& b : boxes) picture.truth.push_back({b.label, b.x, b.y, b.w, b.h});
    const double precision = PrecisionOf({&picture, 1}).map50;
    if (!(precision >= 0 && precision <= 1)) __builtin_trap();
  }
  const std::string toml(reinterpret_cast<const char*>(data), size);
  (void)ParseCard(toml, "fuzz", "/nonexistent", {{"x", DType::kF32, Shape{1, 3, kHeight, kWidth}}},
                  ports);
  return 0;
}
