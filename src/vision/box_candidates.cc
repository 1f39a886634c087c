#include "vision/box_candidates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>

namespace fogline {
namespace {

/// From so many on there may be any number: room for all at once, instead of ever larger rooms.
constexpr size_t kMany = 1024;

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

/// Leaves the `most` surest. By their scores' bits, which for numbers that are not negative are
/// ordered as they are: eleven of them at a time, the lowest first, so that equals stay in order.
void SortSurestFirst(std::vector<BoxCandidate>& found, size_t most) {
  constexpr unsigned kBits = 11;
  constexpr uint32_t kMask = (1U << kBits) - 1;
  std::vector<uint64_t> keys(found.size()), sorted(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    keys[i] = uint64_t{~std::bit_cast<uint32_t>(found[i].score + 0.0F)} << 32 | i;
  }
  for (unsigned shift = 32; shift < 64; shift += kBits) {
    std::array<uint32_t, kMask + 2> starts{};
    for (const uint64_t key : keys) ++starts[(key >> shift & kMask) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    for (const uint64_t key : keys) sorted[starts[key >> shift & kMask]++] = key;
    keys.swap(sorted);
  }
  std::vector<BoxCandidate> candidates(std::min(found.size(), most));
  for (size_t i = 0; i < candidates.size(); ++i)
    candidates[i] = found[static_cast<uint32_t>(keys[i])];
  found.swap(candidates);
}

}  // namespace

void BoxCandidates::Add(const BoxCandidate& c) {
  if (!(c.score >= least_)) return;
  largest_ = std::max(largest_, c.score);
  // Written so that NaN is none.
  const bool has_size = c.right > c.left && c.bottom > c.top;
  const float extent = (c.right - c.left) + (c.bottom - c.top) + c.left + c.top;
  if (!has_size || !std::isfinite(extent)) return;
  if (found_.size() == kMany) found_.reserve(4 * kMost);
  found_.push_back(c);
  if (found_.size() >= 4 * kMost) Shrink();
}

void BoxCandidates::Shrink() { least_ = std::max(least_, KeepSurest(found_, kMost)); }

std::vector<BoxCandidate> BoxCandidates::Take() {
  SortSurestFirst(found_, kMost);
  return std::move(found_);
}

}  // namespace fogline
