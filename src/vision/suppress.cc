#include "vision/suppress.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace fogline {
namespace {

/// The boxes of one class that stay, in a grid: each lies in all cells that it touches, so that
/// only those near by need to be compared.
class Kept {
 public:
  /// Empty, with cells about as large as the boxes that will come.
  void Begin(const std::vector<BoxCandidate>& all, std::span<const uint64_t> order) {
    double width = 0, height = 0;
    for (const uint64_t key : order) {
      const BoxCandidate& c = all[static_cast<uint32_t>(key)];
      width += c.right - c.left;
      height += c.bottom - c.top;
    }
    const auto fitting = [&](double sum) {
      const double most = std::sqrt(static_cast<double>(order.size()));
      const double cells = std::min({static_cast<double>(order.size()) / sum, most, kMostCells});
      return cells >= 1 ? static_cast<int>(cells) : 1;
    };
    columns_ = fitting(width);
    rows_ = fitting(height);
    for (auto& cell : cells_) cell.clear();
    cells_.resize(std::max(cells_.size(), static_cast<size_t>(columns_ * rows_)));
  }
  void Add(const BoxCandidate& c) {
    const Place place{c.left, c.top, c.right, c.bottom, (c.right - c.left) * (c.bottom - c.top)};
    Touched(c, [&](std::vector<Place>& cell) {
      cell.push_back(place);
      return false;
    });
  }
  /// Whether any shares more than `limit` of the common area with it.
  bool Covers(const BoxCandidate& c, float limit) {
    const float own = (c.right - c.left) * (c.bottom - c.top);
    return Touched(c, [&](const std::vector<Place>& cell) {
      return std::ranges::any_of(cell, [&](const Place& k) {
        const float w = std::min(k.right, c.right) - std::max(k.left, c.left);
        const float h = std::min(k.bottom, c.bottom) - std::max(k.top, c.top);
        const float shared = std::max(w, 0.0F) * std::max(h, 0.0F);
        return shared > limit * (k.area + own - shared);
      });
    });
  }

 private:
  struct Place {
    float left, top, right, bottom, area;
  };
  static constexpr double kMostCells = 16;  // across, and down

  /// Places beyond the picture belong to the cells at its edge.
  static int CellAt(float part, int cells) {
    return static_cast<int>(std::clamp(part, 0.0F, 0.999F) * static_cast<float>(cells));
  }
  /// Calls `each(cell)` for the cells that a box touches, until one says true.
  template <typename Each>
  bool Touched(const BoxCandidate& c, Each each) {
    const int last_row = CellAt(c.bottom, rows_), last_column = CellAt(c.right, columns_);
    for (int y = CellAt(c.top, rows_); y <= last_row; ++y) {
      for (int x = CellAt(c.left, columns_); x <= last_column; ++x) {
        if (each(cells_[static_cast<size_t>(y * columns_ + x)])) return true;
      }
    }
    return false;
  }

  int columns_ = 1, rows_ = 1;
  std::vector<std::vector<Place>> cells_;
};

/// Candidates class by class, each class's in their own order: labels and places as one number.
std::vector<uint64_t> ByClass(const std::vector<BoxCandidate>& candidates) {
  std::vector<uint64_t> order(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    order[i] = uint64_t{static_cast<uint32_t>(candidates[i].label)} << 32 | i;
  }
  std::ranges::sort(order);
  return order;
}

}  // namespace

float Overlap(const BoxCandidate& a, const BoxCandidate& b) {
  const float w = std::min(a.right, b.right) - std::max(a.left, b.left);
  const float h = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (!(w > 0 && h > 0)) return 0;
  const float shared = w * h;
  return shared / ((a.right - a.left) * (a.bottom - a.top) +
                   (b.right - b.left) * (b.bottom - b.top) - shared);
}

Suppressed Suppress(const std::vector<BoxCandidate>& candidates, double overlap, size_t most) {
  std::vector<uint8_t> stays(candidates.size());
  const std::vector<uint64_t> order = ByClass(candidates);
  Kept kept;
  for (size_t from = 0, to = 0; from < order.size(); from = to) {
    while (to < order.size() && order[to] >> 32 == order[from] >> 32) ++to;
    const auto of_class = std::span(order).subspan(from, to - from);
    kept.Begin(candidates, of_class);
    for (const uint64_t key : of_class) {
      const BoxCandidate& c = candidates[static_cast<uint32_t>(key)];
      if (kept.Covers(c, static_cast<float>(overlap))) continue;
      kept.Add(c);
      stays[static_cast<uint32_t>(key)] = 1;
    }
  }
  Suppressed result;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (stays[i] == 0) continue;
    if (result.kept.size() < most) {
      result.kept.push_back(candidates[i]);
    } else {
      ++result.cut_off;
    }
  }
  return result;
}

}  // namespace fogline
