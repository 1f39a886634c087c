#include "edge/changes.h"

#include <utility>

namespace fogline {

Changes::Seen Changes::Look(const Glance& glance) {
  Seen seen;
  seen.glance = glance;
  std::shared_ptr<const Known> known;
  bool audits = false;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
    audits = rules_.audit > 0 && random_() % rules_.audit == 0;
  }
  if (known == nullptr || !(DistanceOf(known->glance, seen.glance) < rules_.threshold)) return seen;
  seen.like = std::move(known);
  seen.audited = audits;
  const std::lock_guard lock(mutex_);
  ++(audits ? counts_.audited : counts_.unchanged);
  return seen;
}

void Changes::Sent(uint64_t sequence, const Seen& seen, std::optional<ResultPayload> own) {
  const std::lock_guard lock(mutex_);
  Waiting& waiting = waiting_[sequence];
  waiting.sent = true;
  if (seen.like == nullptr || seen.audited) {
    waiting.picture = std::make_shared<Known>(Known{handed_on_++, sequence, seen.glance, {}});
    waiting.audits = seen.like;
    waiting.own = std::move(own);
  }
  Settle(sequence);
}

void Changes::Unreported(const Seen& seen, const ResultPayload& own) {
  const std::lock_guard lock(mutex_);
  Learn(std::make_shared<Known>(Known{handed_on_++, std::nullopt, seen.glance, own}), seen.like);
}

void Changes::Answered(uint64_t sequence, bool stored, const ResultPayload* result) {
  const std::lock_guard lock(mutex_);
  Waiting& waiting = waiting_[sequence];
  waiting.answered = true;
  waiting.stored = stored;
  if (result != nullptr) waiting.said = *result;
  Settle(sequence);
}

/// Once both are known: what a frame is of, and what became of it.
void Changes::Settle(uint64_t sequence) {
  const auto at = waiting_.find(sequence);
  if (!at->second.sent || !at->second.answered) {
    if (waiting_.size() > kMostWaiting) waiting_.erase(waiting_.begin());
    return;
  }
  Waiting waiting = std::move(at->second);
  waiting_.erase(at);
  auto& result = waiting.own ? waiting.own : waiting.said;
  // An older cloud does not say what it found.
  if (waiting.picture == nullptr || !waiting.stored || !result) return;
  waiting.picture->result = *std::move(result);
  Learn(std::move(waiting.picture), waiting.audits);
}

void Changes::Learn(std::shared_ptr<Known> picture, const std::shared_ptr<const Known>& audits) {
  if (audits != nullptr) {
    counts_.differ += picture->result.label != audits->result.label ||
                      picture->result.positive != audits->result.positive;
  }
  if (known_ == nullptr || picture->place > known_->place) known_ = std::move(picture);
}

ChangeCounts Changes::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace fogline
