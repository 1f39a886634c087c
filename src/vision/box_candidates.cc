#include "vision/box_candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>

namespace fogline {
namespace {

/// Keeps the `most` surest in the order in which they are, of equals the first; gives the least
/// score that stayed. There must be more of them.
float KeepSurest(std::vector<BoxCandidate>& found, size_t most) {
  std::vector<float> scores(found.size());
  std::ranges::transform(found, scores.begin(), &BoxCandidate::score);
  const auto last = scores.begin() + static_cast<ptrdiff_t>(most) - 1;
  std::ranges::nth_element(scores, last, std::greater<>());
  const float least = *last;
  auto equals = std::count(scores.begin(), last + 1, least);
  std::erase_if(found, [&](const BoxCandidate& c) {
    return c.score < least || (c.score == least && equals-- <= 0);
  });
  return least;
}

/// Scores are not negative: then their bits are ordered as they are.
void SortSurestFirst(std::vector<BoxCandidate>& found) {
  std::vector<uint64_t> keys(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    keys[i] = uint64_t{~std::bit_cast<uint32_t>(found[i].score + 0.0F)} << 32 | i;
  }
  std::ranges::sort(keys);
  std::vector<BoxCandidate> sorted(found.size());
  for (size_t i = 0; i < keys.size(); ++i) sorted[i] = found[static_cast<uint32_t>(keys[i])];
  found.swap(sorted);
}

}  // namespace

void BoxCandidates::Add(const BoxCandidate& c) {
  if (!(c.score >= least_)) return;
  largest_ = std::max(largest_, c.score);
  // Written so that NaN is none.
  const bool has_size = c.right > c.left && c.bottom > c.top;
  const float extent = (c.right - c.left) + (c.bottom - c.top) + c.left + c.top;
  if (!has_size || !std::isfinite(extent)) return;
  found_.push_back(c);
  if (found_.size() >= 2 * kMost) Shrink();
}

void BoxCandidates::Shrink() { least_ = std::max(least_, KeepSurest(found_, kMost)); }

std::vector<BoxCandidate> BoxCandidates::Take() {
  if (found_.size() > kMost) Shrink();
  SortSurestFirst(found_);
  return std::move(found_);
}

}  // namespace fogline
