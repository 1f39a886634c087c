#include "vision/box_candidates.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace fogline {
namespace {

void SortSurestFirst(std::vector<BoxCandidate>& found) {
  std::ranges::stable_sort(found, std::greater<>(), &BoxCandidate::score);
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

void BoxCandidates::Shrink() {
  SortSurestFirst(found_);
  found_.resize(kMost);
  least_ = std::max(least_, found_.back().score);
}

std::vector<BoxCandidate> BoxCandidates::Take() {
  SortSurestFirst(found_);
  if (found_.size() > kMost) found_.resize(kMost);
  return std::move(found_);
}

}  // namespace fogline
