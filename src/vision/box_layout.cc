#include "vision/box_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vision/box_shapes.h"
#include "vision/floats.h"

namespace fogline {
namespace {

using Color = ModelCard::Color;
using Crop = ModelCard::Crop;
using Anchor = ModelCard::Anchor;

constexpr PictureHabits kYolo{Color::kRgb,      {0, 0, 0},       {255, 255, 255},
                              Crop::kLetterbox, Anchor::kCenter, 114};
constexpr PictureHabits kYoloxHabits{Color::kBgr,      {0, 0, 0},       {1, 1, 1},
                                     Crop::kLetterbox, Anchor::kCorner, 114};
constexpr PictureHabits kNanodetHabits{Color::kBgr,
                                       {103.53F, 116.28F, 123.675F},
                                       {57.375F, 57.12F, 58.395F},
                                       Crop::kLetterbox,
                                       Anchor::kCenter,
                                       0};
constexpr PictureHabits kPicodetHabits{Color::kRgb,
                                       {123.675F, 116.28F, 103.53F},
                                       {58.395F, 57.12F, 57.375F},
                                       Crop::kSquash,
                                       Anchor::kCenter,
                                       0};
constexpr PictureHabits kFastestdetHabits{Color::kBgr,   {0, 0, 0},       {255, 255, 255},
                                          Crop::kSquash, Anchor::kCenter, 0};
constexpr PictureHabits kRetinaHabits{Color::kBgr,      {104, 117, 123}, {1, 1, 1},
                                      Crop::kLetterbox, Anchor::kCorner, 0};
constexpr PictureHabits kUltrafaceHabits{Color::kRgb,   {127, 127, 127}, {128, 128, 128},
                                         Crop::kSquash, Anchor::kCenter, 0};
constexpr PictureHabits kYunetHabits{Color::kBgr,      {0, 0, 0},       {1, 1, 1},
                                     Crop::kLetterbox, Anchor::kCorner, 0};
constexpr PictureHabits kBlazefaceHabits{
    Color::kRgb,      {127.5F, 127.5F, 127.5F}, {127.5F, 127.5F, 127.5F},
    Crop::kLetterbox, Anchor::kCenter,          0};

/// In the order of the enumeration.
constexpr std::array<LayoutRow, 12> kLayouts{{
    {BoxLayout::kYolov5, "yolov5", FindYolov5, DecodeYolov5, "1xNx(5+C)", false, false, false,
     kYolo},
    {BoxLayout::kYolov8, "yolov8", FindYolov8, DecodeYolov8, "1x(4+C)xN or 1xNx(4+C)", false, false,
     false, kYolo},
    {BoxLayout::kYolox, "yolox", FindYolox, DecodeYolox, "1xNx(5+C), N cells of 8, 16 and 32 px",
     false, false, false, kYoloxHabits},
    {BoxLayout::kNanodet, "nanodet", FindNanodet, DecodeNanodet,
     "NxC and Nx32 for cells of 8, 16, 32 (and 64) px, or 1xNx(C+32) for all four together", false,
     true, false, kNanodetHabits},
    {BoxLayout::kPicodet, "picodet", FindNanodet, DecodeNanodet,
     "1xNxC and 1xNx32 for cells of 8, 16, 32 (and 64) px", false, true, false, kPicodetHabits},
    {BoxLayout::kFastestdet, "fastestdet", FindFastestdet, DecodeFastestdet,
     "1x(5+C)xHxW, a whole part of the picture's height and width", false, false, false,
     kFastestdetHabits},
    {BoxLayout::kSsd, "ssd", FindAnchors, DecodeAnchors,
     "1xNx4 and 1xNx(1+C), N of the anchors that strides, sizes and ratios make", false, true,
     false, std::nullopt},
    {BoxLayout::kRetina, "retina", FindAnchors, DecodeAnchors,
     "1xNx4 and 1xNx2, N two for each cell of 8, 16 and 32 px", false, true, false, kRetinaHabits},
    {BoxLayout::kUltraface, "ultraface", FindUltraface, DecodeUltraface, "1xNx4 and 1xNx(1+C)",
     false, true, false, kUltrafaceHabits},
    {BoxLayout::kYunet, "yunet", FindYunet, DecodeYunet,
     "1xNx1 twice and 1xNx4 for cells of 8, 16 and 32 px", false, false, false, kYunetHabits},
    {BoxLayout::kBlazeface, "blazeface", FindBlazeface, DecodeBlazeface, "1x896x16 and 1x896x1",
     true, true, false, kBlazefaceHabits},
    {BoxLayout::kNms, "nms", FindNms, DecodeNms, "Nx6, Nx7, or Nx4 with N scores and N classes",
     false, false, true, std::nullopt},
}};

bool Unsure(std::span<const Port> outputs) {
  return std::ranges::any_of(outputs, [](const Port& p) { return !p.shape.IsStatic(); });
}

}  // namespace

std::span<const LayoutRow> BoxLayouts() { return kLayouts; }

const LayoutRow& RowOf(BoxLayout layout) { return kLayouts[static_cast<size_t>(layout)]; }

BoxRules WithAnchors(BoxLayout layout, BoxRules rules) {
  rules.layout = layout;
  if (layout == BoxLayout::kRetina && rules.strides.empty()) {
    rules.strides = {8, 16, 32};
    rules.sizes = {{16, 32}, {64, 128}, {256, 512}};
  }
  return rules;
}

std::string_view NameOf(BoxLayout layout) { return RowOf(layout).word; }

std::optional<BoxLayout> BoxLayoutOf(std::string_view word) {
  const auto row = std::ranges::find(kLayouts, word, &LayoutRow::word);
  return row == kLayouts.end() ? std::nullopt : std::optional(row->layout);
}

Shape RowsOf(const Port& port, int64_t batch) {
  const Shape& s = port.shape;
  std::vector<int64_t> dims(s.begin(), s.end());
  if (dims.size() > 1 && (dims[0] == 1 || dims[0] == batch)) dims.erase(dims.begin());
  while (dims.size() > 2 && dims[0] == 1) dims.erase(dims.begin());
  return Shape(dims);
}

std::optional<BoxHead> FindBoxHead(BoxLayout layout, std::span<const Port> outputs,
                                   const PictureInput& picture, const BoxRules& rules) {
  if (picture.width <= 0 || picture.height <= 0) return {};
  return RowOf(layout).find(outputs, picture, WithAnchors(layout, rules));
}

std::optional<BoxLayout> GuessBoxLayout(std::span<const Port> outputs,
                                        const PictureInput& picture) {
  if (outputs.empty() || Unsure(outputs) || picture.width <= 0 || picture.height <= 0) return {};
  static constexpr std::array kThree = {8, 16, 32};
  static constexpr std::array kFour = {8, 16, 32, 64};
  const auto fits = [&](BoxLayout layout) { return FindBoxHead(layout, outputs, picture, {}); };
  if (const auto head = fits(BoxLayout::kYunet)) return BoxLayout::kYunet;
  if (const auto head = fits(BoxLayout::kBlazeface)) return BoxLayout::kBlazeface;
  if (const auto head = fits(BoxLayout::kRetina); head && outputs.size() == 3) {
    return BoxLayout::kRetina;
  }
  if (const auto head = fits(BoxLayout::kNanodet)) {
    // Of 8 bins: with others the two kinds of rows might be anything.
    const bool level_by_level = !head->joined && outputs.size() == 2 * head->levels.size();
    if (head->bins == 8 && level_by_level) {
      return head->levels.size() == 4 ? BoxLayout::kPicodet : BoxLayout::kNanodet;
    }
    if (head->joined && outputs.size() == 1) return BoxLayout::kNanodet;
  }
  const size_t cells = CellsOf(LevelsOf(kThree, picture));
  const auto eight = fits(BoxLayout::kYolov8);
  // Rows of 84 numbers are COCO's 80 classes; YOLOX, which has one more, would have 79.
  const bool rows_of_eight =
      eight && eight->transposed && eight->rows == cells && eight->classes == 80;
  if (const auto head = fits(BoxLayout::kYolox); head && !rows_of_eight && outputs.size() == 1) {
    return BoxLayout::kYolox;
  }
  if (eight && eight->rows == cells) {
    return outputs.size() == 1 ? std::optional(BoxLayout::kYolov8) : std::nullopt;
  }
  if (const auto head = fits(BoxLayout::kYolov5)) {
    const size_t more = 3 * CellsOf(LevelsOf(kFour, picture));
    if (head->rows == 3 * cells || head->rows == more) return BoxLayout::kYolov5;
  }
  if (const auto head = fits(BoxLayout::kUltraface); head && outputs.size() == 2) {
    // Three sizes of face in the finest and the coarsest cells, two in those between.
    const auto levels = LevelsOf(kFour, picture);
    const size_t faces =
        3 * (levels[0].cells() + levels[3].cells()) + 2 * (levels[1].cells() + levels[2].cells());
    if (head->classes == 1 && head->rows == faces) return BoxLayout::kUltraface;
  }
  if (const auto head = fits(BoxLayout::kFastestdet); head && outputs.size() == 1) {
    // A mask looks alike; 80 classes and 5 numbers do not.
    if (head->classes == 80 && head->levels[0].stride == 16) return BoxLayout::kFastestdet;
  }
  if (const auto head = fits(BoxLayout::kNms); head && outputs.size() == 1) {
    if (head->width == 6 && outputs[0].shape.rank() == 3 && head->rows <= 1000) {
      return BoxLayout::kNms;
    }
  }
  return {};
}

std::string ShapesOf(BoxLayout layout, const PictureInput& picture, const BoxRules& rules) {
  const LayoutRow& row = RowOf(layout);
  std::string text = row.shapes;
  const auto count = [&](std::span<const int> strides, size_t each) {
    size_t all = 0;
    for (const BoxLevel& level : LevelsOf(strides, picture)) all += each * level.cells();
    return all;
  };
  static constexpr std::array kThree = {8, 16, 32};
  if (layout == BoxLayout::kYolox) {
    text += fmt::format(": here N is {}", count(kThree, 1));
  } else if (layout == BoxLayout::kRetina) {
    text += fmt::format(": here N is {}", count(kThree, 2));
  } else if (layout == BoxLayout::kSsd) {
    size_t all = 0;
    const auto levels = LevelsOf(rules.strides, picture);
    for (size_t l = 0; l < std::min(levels.size(), rules.sizes.size()); ++l) {
      all += levels[l].cells() * rules.sizes[l].size() * rules.ratios.size();
    }
    text += fmt::format(": here N is {}", all);
  } else if (layout == BoxLayout::kNanodet || layout == BoxLayout::kPicodet ||
             layout == BoxLayout::kYunet) {
    text += ": here N is";
    for (const BoxLevel& level : LevelsOf(kThree, picture)) {
      text += fmt::format("{} {}", level.stride == kThree[0] ? "" : ",", level.cells());
    }
  }
  return text;
}

}  // namespace fogline
