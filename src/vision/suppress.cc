#include "vision/suppress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <unordered_map>

namespace fogline {
namespace {

/// The boxes of one class that stay, each in the cell of a grid where its middle lies, so that only
/// those near by need to be compared.
class Kept {
 public:
  explicit Kept(float limit) : limit_(limit) {
    // Of two boxes that share more than t of what they cover together, the common part is wider
    // than t of the wider one. So their middles are less than (w + v) / 2 - t max(w, v) apart and v
    // is less than w / t: at most this many times w.
    const double t = limit;
    reach_ = static_cast<float>(1.001 * (t < 0.5 ? 0.5 + (0.5 - t) / std::max(t, 1e-3) : 1 - t));
  }

  /// Empty, with cells about as large as the boxes that will come.
  void Begin(const std::vector<BoxCandidate>& all, std::span<const uint32_t> order) {
    double width = 0, height = 0;
    for (const uint32_t i : order) {
      width += all[i].right - all[i].left;
      height += all[i].bottom - all[i].top;
    }
    const auto count = static_cast<double>(order.size());
    const auto fitting = [&](double sum) {
      return static_cast<int>(std::max(1.0, std::min({count / sum, std::sqrt(count), kMostCells})));
    };
    columns_ = fitting(width);
    rows_ = fitting(height);
    for (Cell& cell : cells_) {
      cell.places.clear();
      cell.count = 0;
    }
    cells_.resize(std::max(cells_.size(), static_cast<size_t>(columns_ * rows_)));
  }
  void Add(const BoxCandidate& c) {
    const int x = CellAt((c.left + c.right) / 2, columns_);
    const int y = CellAt((c.top + c.bottom) / 2, rows_);
    Cell& cell = cells_[static_cast<size_t>(y * columns_ + x)];
    const size_t at = cell.count++ % Places::kCount;
    if (at == 0) cell.places.emplace_back();
    Places& places = cell.places.back();
    places.left[at] = c.left;
    places.top[at] = c.top;
    places.right[at] = c.right;
    places.bottom[at] = c.bottom;
    places.area[at] = (c.right - c.left) * (c.bottom - c.top);
  }
  /// Whether any shares more than the limit of the common area with it.
  bool Covers(const BoxCandidate& c) const {
    const float w = c.right - c.left, h = c.bottom - c.top;
    const float x = (c.left + c.right) / 2, y = (c.top + c.bottom) / 2;
    const int last_column = CellAt(x + reach_ * w + kSlack, columns_);
    const int last_row = CellAt(y + reach_ * h + kSlack, rows_);
    const int first_column = CellAt(x - reach_ * w - kSlack, columns_);
    for (int row = CellAt(y - reach_ * h - kSlack, rows_); row <= last_row; ++row) {
      for (int column = first_column; column <= last_column; ++column) {
        if (AnyCovers(cells_[static_cast<size_t>(row * columns_ + column)], c, w * h)) return true;
      }
    }
    return false;
  }

 private:
  /// Some boxes as columns, so that one loop over them is vector arithmetic; those that are not
  /// there yet share nothing with any box.
  struct Places {
    static constexpr size_t kCount = 8;
    static constexpr float kFar = std::numeric_limits<float>::max();
    std::array<float, kCount> left, top, right, bottom, area;
    Places() {
      left.fill(kFar);
      for (auto* const column : {&top, &right, &bottom, &area}) column->fill(0);
    }
  };
  struct Cell {
    std::vector<Places> places;
    size_t count = 0;
  };
  static constexpr double kMostCells = 16;  // across, and down
  static constexpr float kSlack = 1e-5F;

  /// Places beyond the picture belong to the cells at its edge.
  static int CellAt(float part, int cells) {
    return static_cast<int>(std::clamp(part, 0.0F, 0.9999F) * static_cast<float>(cells));
  }
  bool AnyCovers(const Cell& cell, const BoxCandidate& c, float own) const {
    int covering = 0;
    for (const Places& k : cell.places) {
      for (size_t i = 0; i < Places::kCount; ++i) {
        const float w = std::min(k.right[i], c.right) - std::max(k.left[i], c.left);
        const float h = std::min(k.bottom[i], c.bottom) - std::max(k.top[i], c.top);
        const float shared = std::max(w, 0.0F) * std::max(h, 0.0F);
        covering |= static_cast<int>(shared > limit_ * (k.area[i] + own - shared));
      }
    }
    return covering != 0;
  }

  float limit_, reach_;
  int columns_ = 1, rows_ = 1;
  std::vector<Cell> cells_;
};

/// Places of candidates, class by class, each class's in their own order; `ends` are those of the
/// classes.
struct ByClass {
  std::vector<uint32_t> order;
  std::vector<size_t> ends;

  explicit ByClass(const std::vector<BoxCandidate>& candidates) {
    std::unordered_map<int, uint32_t> numbers;
    std::vector<uint32_t> number_of(candidates.size());
    for (size_t i = 0; i < candidates.size(); ++i) {
      const auto next = static_cast<uint32_t>(numbers.size());
      const uint32_t number = numbers.try_emplace(candidates[i].label, next).first->second;
      if (number == ends.size()) ends.push_back(0);
      ++ends[number];
      number_of[i] = number;
    }
    std::vector<size_t> next(ends.size(), 0);
    std::exclusive_scan(ends.begin(), ends.end(), next.begin(), size_t{0});
    order.resize(candidates.size());
    for (uint32_t i = 0; i < candidates.size(); ++i) order[next[number_of[i]]++] = i;
    ends = std::move(next);
  }
};

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
  const ByClass classes(candidates);
  Kept kept(static_cast<float>(overlap));
  size_t from = 0;
  for (const size_t to : classes.ends) {
    const auto of_class = std::span(classes.order).subspan(from, to - from);
    kept.Begin(candidates, of_class);
    for (const uint32_t i : of_class) {
      if (kept.Covers(candidates[i])) continue;
      kept.Add(candidates[i]);
      stays[i] = 1;
    }
    from = to;
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
