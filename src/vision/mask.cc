#include "vision/mask.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "vision/mask_head.h"
#include "vision/mask_pixels.h"

namespace fogline {
namespace {

constexpr int kMaskSide = SmallMask::kMostSide;
constexpr int32_t kNobody = -1;  // the class of a cell that the network was not shown

/// Pixels of a row or column of the mask that show the picture: those whose middle does, one at
/// least.
struct Seen {
  int64_t begin = 0, end = 0;
};
Seen SeenOf(double from, double length, int64_t pixels) {
  const auto size = static_cast<double>(pixels);
  const auto first = [&](double at) {
    return static_cast<int64_t>(std::clamp(std::ceil(at * size - 0.5), 0.0, size));
  };
  Seen seen{first(from), first(from + length)};
  seen.begin = std::min(seen.begin, pixels - 1);
  seen.end = std::max(seen.end, seen.begin + 1);
  return seen;
}

/// The cells of a small mask along one side of the picture, and which pixel is in the middle of
/// each.
struct Middles {
  int count = 0;
  std::array<int64_t, kMaskSide> pixel{};  // -1: beyond what the network was shown
};
Middles MiddlesOf(int count, double from, double length, int64_t pixels) {
  Middles cells;
  cells.count = count;
  for (int i = 0; i < count; ++i) {
    const double at = std::floor((from + length * (i + 0.5) / count) * static_cast<double>(pixels));
    cells.pixel[static_cast<size_t>(i)] =
        at >= 0 && at < static_cast<double>(pixels) ? static_cast<int64_t>(at) : -1;
  }
  return cells;
}

/// Counts pixels and keeps those in the middles of cells.
class Survey {
 public:
  Survey(const MaskHead& head, const Placement& place) {
    const double wide = place.width * static_cast<double>(head.width);
    const double high = place.height * static_cast<double>(head.height);
    const double longest = std::max({wide, high, 1e-9});
    const double most = std::clamp(std::round(longest), 1.0, double{kMaskSide});
    const auto count = [&](double side) {
      return static_cast<int>(std::clamp(std::round(side / longest * most), 1.0, most));
    };
    columns_ = MiddlesOf(count(wide), place.left, place.width, head.width);
    rows_ = MiddlesOf(count(high), place.top, place.height, head.height);
    cells_.assign(static_cast<size_t>(columns_.count) * static_cast<size_t>(rows_.count), kNobody);
  }

  void Add(int64_t y, int64_t x, std::span<const uint16_t> classes) {
    for (const uint16_t one : classes) {
      if (one >= counts_.size()) counts_.resize(size_t{one} + 1);
      ++counts_[one];
    }
    for (int j = 0; j < rows_.count; ++j) {
      if (rows_.pixel[static_cast<size_t>(j)] != y) continue;
      for (int i = 0; i < columns_.count; ++i) {
        const int64_t at = columns_.pixel[static_cast<size_t>(i)] - x;
        if (at < 0 || at >= static_cast<int64_t>(classes.size())) continue;
        cells_[static_cast<size_t>(j) * static_cast<size_t>(columns_.count) +
               static_cast<size_t>(i)] = classes[static_cast<size_t>(at)];
      }
    }
  }

  MaskFindings Found(const ModelCard& card) const {
    std::vector<size_t> classes;
    for (size_t c = 0; c < counts_.size(); ++c) {
      if (counts_[c] > 0) classes.push_back(c);
    }
    std::ranges::stable_sort(classes, [&](size_t a, size_t b) { return counts_[a] > counts_[b]; });
    const auto all =
        static_cast<double>(std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}));
    MaskFindings found;
    std::vector<uint8_t> place_of(counts_.size());
    for (size_t i = 0; i < classes.size(); ++i) {
      const auto share = static_cast<float>(static_cast<double>(counts_[classes[i]]) / all);
      const bool own = classes.size() <= kMaxFound || i + 1 < kMaxFound;
      if (own) {
        found.shares.push_back({FoundText(card.LabelOf(static_cast<int>(classes[i]))), share});
      } else if (found.shares.size() < kMaxFound) {
        found.shares.push_back({"others", share});
      } else {
        found.shares.back().share += share;
      }
      place_of[classes[i]] = static_cast<uint8_t>(found.shares.size() - 1);
    }
    for (LabelShare& one : found.shares) one.share = std::min(one.share, 1.0F);
    found.mask.width = static_cast<uint8_t>(columns_.count);
    found.mask.height = static_cast<uint8_t>(rows_.count);
    for (const int32_t cell : cells_) {
      found.mask.cells.push_back(cell == kNobody ? SmallMask::kUnseen
                                                 : place_of[static_cast<size_t>(cell)]);
    }
    return found;
  }

 private:
  Middles columns_, rows_;
  std::vector<int32_t> cells_;
  std::vector<uint64_t> counts_;  // by class
};

}  // namespace

Result<MaskFindings> ReadMask(const Tensor& output, const ModelCard& card, const Placement& place) {
  const auto head = FindMaskHead({card.output, output.dtype(), output.shape()}, card);
  if (!head || (head->classes > 0 && !card.labels.empty() && head->classes != card.labels.size())) {
    return Fail(ErrorCode::kConflict, card.output, "came as {} {}, which is no mask{}: {}",
                DTypeName(output.dtype()), output.shape().ToString(),
                card.labels.empty() ? "" : " of the card's labels", ShapesOfMasks());
  }
  Survey survey(*head, place);
  const TensorView view = output.view();
  MaskPixels pixels(view, *head, card);
  const Seen columns = SeenOf(place.left, place.width, head->width);
  const Seen rows = SeenOf(place.top, place.height, head->height);
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    for (int64_t x = columns.begin; x < columns.end; x += MaskPixels::kPiece) {
      FOGLINE_TRY(const auto classes,
                  pixels.Read(y, x, std::min(MaskPixels::kPiece, columns.end - x)));
      survey.Add(y, x, classes);
    }
  }
  return survey.Found(card);
}

}  // namespace fogline
