#include "vision/suppress.h"

#include <algorithm>
#include <unordered_map>

namespace fogline {
namespace {

/// The boxes of one class that stay, as columns: one loop over each is vector arithmetic.
struct Kept {
  std::vector<float> left, top, right, bottom, area;

  void Add(const BoxCandidate& c) {
    left.push_back(c.left);
    top.push_back(c.top);
    right.push_back(c.right);
    bottom.push_back(c.bottom);
    area.push_back((c.right - c.left) * (c.bottom - c.top));
  }
  /// Whether any shares more than `limit` of the common area with it.
  bool Covers(const BoxCandidate& c, float limit) const {
    const float own = (c.right - c.left) * (c.bottom - c.top);
    const size_t count = left.size();
    int covering = 0;
    for (size_t i = 0; i < count; ++i) {
      const float w = std::min(right[i], c.right) - std::max(left[i], c.left);
      const float h = std::min(bottom[i], c.bottom) - std::max(top[i], c.top);
      const float shared = std::max(w, 0.0F) * std::max(h, 0.0F);
      covering |= static_cast<int>(shared > limit * (area[i] + own - shared));
    }
    return covering != 0;
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
  Suppressed result;
  std::unordered_map<int, Kept> by_class;
  for (const BoxCandidate& c : candidates) {
    Kept& kept = by_class[c.label];
    if (kept.Covers(c, static_cast<float>(overlap))) continue;
    kept.Add(c);
    if (result.kept.size() < most) {
      result.kept.push_back(c);
    } else {
      ++result.cut_off;
    }
  }
  return result;
}

}  // namespace fogline
