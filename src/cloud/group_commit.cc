#include "cloud/group_commit.h"

#include <algorithm>
#include <iterator>

namespace fogline {

size_t GroupCommit::BytesOf(const Finished& frame) {
  return frame.has_row() ? frame.worked->detection->thumbnail.size() : 0;
}

bool GroupCommit::Full(size_t bytes) const {
  return !pile_.empty() && (pile_.size() >= limits_.frames || bytes_ + bytes > limits_.bytes);
}

GroupCommit::Turn GroupCommit::Commit() {
  committing_ = true;
  joining_until_.reset();
  return Turn::kCommit;
}

GroupCommit::Turn GroupCommit::Add(Finished& frame, bool busy) {
  if (closed_) return Turn::kEnd;
  const size_t bytes = BytesOf(frame);
  const bool commits = limits_.workers_commit && !busy && !committing_;
  if (!commits && Full(bytes)) return Turn::kWait;
  const Nanos patience = kOwnTimes * frame.took;
  const bool sooner = patience < patience_;
  patience_ = std::min(patience_, patience);
  pile_.push_back(std::move(frame));
  bytes_ += bytes;
  if (commits) return Commit();
  // Whoever commits looks for more by itself; who waits for company is woken when it is there, or
  // when one comes that waits for less.
  const size_t enough = joining_until_ && !sooner ? std::min(kCompany, limits_.frames) : 1;
  return !committing_ && pile_.size() >= enough ? Turn::kWake : Turn::kGoOn;
}

GroupCommit::Looked GroupCommit::Look(bool busy, Nanos now) {
  if (committing_) return {};  // a worker does, and says when it is done
  if (pile_.empty()) return {closed_ ? Turn::kEnd : Turn::kWait, std::nullopt};
  if (closed_ || !busy || pile_.size() >= std::min(kCompany, limits_.frames))
    return {Commit(), std::nullopt};
  joining_until_ = std::min(joining_until_.value_or(Nanos::max()), now + patience_);
  if (now >= *joining_until_) return {Commit(), std::nullopt};
  return {Turn::kWait, *joining_until_ - now};
}

void GroupCommit::Take(std::vector<Finished>& batch) {
  batch.clear();
  patience_ = kPatience;
  if (pile_.size() <= kMostInBatch) {
    batch.swap(pile_);
    bytes_ = 0;
    return;
  }
  const auto end = pile_.begin() + kMostInBatch;
  for (auto frame = pile_.begin(); frame != end; ++frame) bytes_ -= BytesOf(*frame);
  batch.assign(std::make_move_iterator(pile_.begin()), std::make_move_iterator(end));
  pile_.erase(pile_.begin(), end);
}

bool GroupCommit::Committed() {
  committing_ = false;
  return !pile_.empty() || closed_;
}

}  // namespace fogline
