#include "vision/box_shapes.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "vision/floats.h"

namespace fogline {
namespace {

constexpr std::array kThree = {8, 16, 32};
constexpr std::array kFour = {8, 16, 32, 64};
constexpr size_t kMostRows = 10'000'000;

/// An output as rows of numbers.
struct Rows {
  size_t at = 0;  // among the outputs
  size_t count = 0, width = 0;
  bool floating = false;
};

std::vector<Rows> RowsIn(Outputs outputs, const PictureInput& picture) {
  std::vector<Rows> all;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Shape s = RowsOf(outputs[i], picture.batch);
    if (s.rank() < 1 || s.rank() > 2 || !s.IsStatic() || s[0] < 0) continue;
    if (static_cast<size_t>(s[0]) > kMostRows) continue;
    all.push_back({i, static_cast<size_t>(s[0]), s.rank() == 1 ? 1 : static_cast<size_t>(s[1]),
                   IsFloating(outputs[i].dtype)});
  }
  return all;
}

/// The first float output of so many rows that is so wide, but for those already taken.
const Rows* Find(const std::vector<Rows>& all, size_t count, size_t width,
                 std::initializer_list<const Rows*> taken = {}) {
  for (const Rows& rows : all) {
    const bool is_taken = std::ranges::find(taken, &rows) != taken.end();
    if (rows.floating && !is_taken && rows.count == count && rows.width == width) return &rows;
  }
  return nullptr;
}

BoxHead InOne(BoxLayout layout, size_t at, size_t rows, size_t width, size_t classes) {
  BoxHead head;
  head.layout = layout;
  head.boxes = at;
  head.rows = rows;
  head.width = width;
  head.classes = classes;
  return head;
}

/// A stride's scores and distributions side by side: NanoDet-Plus.
std::optional<BoxHead> FindJoined(const std::vector<Rows>& all, const PictureInput& picture,
                                  BoxLayout layout) {
  constexpr size_t kBins = 8;
  const auto levels = LevelsOf(kFour, picture);
  for (const Rows& rows : all) {
    if (!rows.floating || rows.count != CellsOf(levels) || rows.width <= 4 * kBins) continue;
    BoxHead head = InOne(layout, rows.at, rows.count, rows.width, rows.width - 4 * kBins);
    head.joined = true;
    head.bins = kBins;
    head.levels = levels;
    for (BoxLevel& level : head.levels) level.scores = level.boxes = rows.at;
    return head;
  }
  return {};
}

/// Scores and distributions of every level, the scores first where the shapes do not tell which is
/// which.
std::optional<BoxHead> FindPairs(const std::vector<Rows>& all, std::vector<BoxLevel> levels,
                                 BoxLayout layout) {
  BoxHead head;
  head.layout = layout;
  for (const bool swapped : {false, true}) {
    size_t scores_width = 0, boxes_width = 0;
    bool fits = true;
    for (BoxLevel& level : levels) {
      std::vector<const Rows*> pair;
      for (const Rows& rows : all) {
        if (rows.floating && rows.count == level.cells()) pair.push_back(&rows);
      }
      if (pair.size() != 2) return {};
      if (swapped) std::swap(pair[0], pair[1]);
      level.scores = pair[0]->at;
      level.boxes = pair[1]->at;
      const bool first = scores_width == 0;
      if (first) scores_width = pair[0]->width, boxes_width = pair[1]->width;
      // Names may be given in any order, so widths that change are those of the other kind.
      if (pair[0]->width != scores_width) {
        std::swap(level.scores, level.boxes);
        std::swap(pair[0], pair[1]);
      }
      fits = fits && pair[0]->width == scores_width && pair[1]->width == boxes_width;
    }
    if (!fits || boxes_width % 4 != 0 || boxes_width < 16 || scores_width == 0) continue;
    // A distribution has 8 bins (NanoDet, PicoDet), 16 or 17: so many scores would be a wonder.
    if (!swapped && boxes_width > 68 && scores_width % 4 == 0 && scores_width <= 68) continue;
    head.classes = scores_width;
    head.bins = boxes_width / 4;
    head.levels = std::move(levels);
    head.rows = CellsOf(head.levels);
    return head;
  }
  return {};
}

}  // namespace

std::vector<BoxLevel> LevelsOf(std::span<const int> strides, const PictureInput& picture) {
  std::vector<BoxLevel> levels;
  for (const int stride : strides) {
    BoxLevel level;
    level.stride = stride;
    level.columns = static_cast<size_t>((picture.width + stride - 1) / stride);
    level.rows = static_cast<size_t>((picture.height + stride - 1) / stride);
    levels.push_back(level);
  }
  return levels;
}

size_t CellsOf(std::span<const BoxLevel> levels) {
  size_t cells = 0;
  for (const BoxLevel& level : levels) cells += level.cells();
  return cells;
}

std::optional<BoxHead> FindYolov5(Outputs outputs, const PictureInput& picture, const BoxRules&) {
  for (const Rows& rows : RowsIn(outputs, picture)) {
    if (!rows.floating || rows.width < 6 || rows.count <= rows.width) continue;
    return InOne(BoxLayout::kYolov5, rows.at, rows.count, rows.width, rows.width - 5);
  }
  return {};
}

std::optional<BoxHead> FindYolov8(Outputs outputs, const PictureInput& picture, const BoxRules&) {
  const auto all = RowsIn(outputs, picture);
  for (const Rows& rows : all) {
    if (!rows.floating || rows.count < 5 || rows.width <= rows.count) continue;
    return InOne(BoxLayout::kYolov8, rows.at, rows.width, rows.width, rows.count - 4);
  }
  for (const Rows& rows : all) {
    if (!rows.floating || rows.width < 5 || rows.count <= rows.width) continue;
    BoxHead head = InOne(BoxLayout::kYolov8, rows.at, rows.count, rows.width, rows.width - 4);
    head.transposed = true;
    return head;
  }
  return {};
}

std::optional<BoxHead> FindYolox(Outputs outputs, const PictureInput& picture, const BoxRules&) {
  const auto levels = LevelsOf(kThree, picture);
  for (const Rows& rows : RowsIn(outputs, picture)) {
    if (!rows.floating || rows.width < 6 || rows.count != CellsOf(levels)) continue;
    BoxHead head = InOne(BoxLayout::kYolox, rows.at, rows.count, rows.width, rows.width - 5);
    head.levels = levels;
    return head;
  }
  return {};
}

std::optional<BoxHead> FindNanodet(Outputs outputs, const PictureInput& picture,
                                   const BoxRules& rules) {
  const BoxLayout layout = rules.layout.value_or(BoxLayout::kNanodet);
  const auto all = RowsIn(outputs, picture);
  if (auto joined = FindJoined(all, picture, layout)) return joined;
  if (auto four = FindPairs(all, LevelsOf(kFour, picture), layout)) return four;
  return FindPairs(all, LevelsOf(kThree, picture), layout);
}

std::optional<BoxHead> FindFastestdet(Outputs outputs, const PictureInput& picture,
                                      const BoxRules&) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Shape s = RowsOf(outputs[i], picture.batch);
    if (!IsFloating(outputs[i].dtype) || s.rank() != 3 || !s.IsStatic() || s[0] < 6) continue;
    const int64_t stride = s[2] > 0 ? picture.width / s[2] : 0;
    if (stride < 2 || s[2] * stride != picture.width || s[1] * stride != picture.height) continue;
    BoxHead head = InOne(BoxLayout::kFastestdet, i, static_cast<size_t>(s[1] * s[2]), 0,
                         static_cast<size_t>(s[0] - 5));
    const int strides[] = {static_cast<int>(stride)};
    head.levels = LevelsOf(strides, picture);
    return head;
  }
  return {};
}

std::optional<BoxHead> FindYunet(Outputs outputs, const PictureInput& picture, const BoxRules&) {
  const auto all = RowsIn(outputs, picture);
  BoxHead head;
  head.layout = BoxLayout::kYunet;
  head.classes = 1;
  head.levels = LevelsOf(kThree, picture);
  head.rows = CellsOf(head.levels);
  for (BoxLevel& level : head.levels) {
    const Rows* const scores = Find(all, level.cells(), 1);
    const Rows* const objects = Find(all, level.cells(), 1, {scores});
    const Rows* const boxes = Find(all, level.cells(), 4);
    if (scores == nullptr || objects == nullptr || boxes == nullptr) return {};
    level.scores = scores->at;
    level.objects = objects->at;
    level.boxes = boxes->at;
  }
  return head;
}

std::optional<BoxHead> FindAnchors(Outputs outputs, const PictureInput& picture,
                                   const BoxRules& rules) {
  if (rules.strides.empty() || rules.strides.size() != rules.sizes.size()) return {};
  const auto levels = LevelsOf(rules.strides, picture);
  size_t count = 0;
  for (size_t l = 0; l < levels.size(); ++l) {
    count += levels[l].cells() * rules.sizes[l].size() * rules.ratios.size();
  }
  const auto all = RowsIn(outputs, picture);
  const Rows* const boxes = Find(all, count, 4);
  if (boxes == nullptr) return {};
  for (const Rows& rows : all) {
    const bool retina = rules.layout == BoxLayout::kRetina;
    if (&rows == boxes || !rows.floating || rows.count != count || rows.width < 2) continue;
    if (retina && rows.width != 2) continue;
    BoxHead head =
        InOne(rules.layout.value_or(BoxLayout::kSsd), boxes->at, count, 4, rows.width - 1);
    head.scores = rows.at;
    head.levels = levels;
    return head;
  }
  return {};
}

std::optional<BoxHead> FindUltraface(Outputs outputs, const PictureInput& picture,
                                     const BoxRules&) {
  const auto all = RowsIn(outputs, picture);
  for (const Rows& scores : all) {
    const Rows* const boxes = Find(all, scores.count, 4, {&scores});
    if (!scores.floating || scores.width < 2 || boxes == nullptr) continue;
    BoxHead head = InOne(BoxLayout::kUltraface, boxes->at, scores.count, 4, scores.width - 1);
    head.scores = scores.at;
    return head;
  }
  return {};
}

std::optional<BoxHead> FindBlazeface(Outputs outputs, const PictureInput& picture,
                                     const BoxRules&) {
  // 16 cells across and down, then 8, whatever the input's size.
  if (picture.width != picture.height || picture.width % 16 != 0) return {};
  const int strides[] = {picture.width / 16, picture.width / 8};
  const auto all = RowsIn(outputs, picture);
  constexpr size_t kAnchors = 16 * 16 * 2 + 8 * 8 * 6;
  const Rows* const scores = Find(all, kAnchors, 1);
  const Rows* const boxes = Find(all, kAnchors, 16);
  if (scores == nullptr || boxes == nullptr) return {};
  BoxHead head = InOne(BoxLayout::kBlazeface, boxes->at, kAnchors, 16, 1);
  head.scores = scores->at;
  head.levels = LevelsOf(strides, picture);
  return head;
}

std::optional<BoxHead> FindNms(Outputs outputs, const PictureInput& picture, const BoxRules&) {
  const auto all = RowsIn(outputs, picture);
  for (const Rows& rows : all) {
    if (rows.floating && (rows.width == 6 || rows.width == 7)) {
      return InOne(BoxLayout::kNms, rows.at, rows.count, rows.width, 0);
    }
  }
  for (const Rows& boxes : all) {
    if (!boxes.floating || boxes.width != 4) continue;
    // Classes may be floating-point numbers too; then they come after the scores.
    const Rows *scores = nullptr, *labels = nullptr;
    for (const Rows& rows : all) {
      if (&rows == &boxes || rows.width != 1 || rows.count != boxes.count) continue;
      const Rows*& place = rows.floating && scores == nullptr ? scores : labels;
      if (place == nullptr) place = &rows;
    }
    if (scores == nullptr || labels == nullptr) continue;
    BoxHead head = InOne(BoxLayout::kNms, boxes.at, boxes.count, 4, 0);
    head.scores = scores->at;
    head.labels = labels->at;
    return head;
  }
  return {};
}

}  // namespace fogline
