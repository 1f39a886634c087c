#include "cloud/batch.h"

#include <algorithm>
#include <iterator>

#include "frame/answer.h"
#include "frame/topics.h"

namespace fogline {
namespace {

/// Whether a store that answers so may take other rows. The other codes say that it takes none now.
bool MayBeOneRows(ErrorCode code) {
  return code == ErrorCode::kInternal || code == ErrorCode::kInvalid ||
         code == ErrorCode::kUnsupported;
}

}  // namespace

void Blame(Ack& ack, AckStatus status, const Error& error) {
  ack.status = status;
  ack.message = ReasonFor(status, error);
}

Batch::Action Batch::Resume(const Event& event, Nanos now) {
  if (std::holds_alternative<Begun>(event)) {
    Begin();
    return NextPut(now);
  }
  if (const auto* const put = std::get_if<Put>(&event)) {
    store_took_ += now - put_at_;
    if (*put->outcomes) {
      Take(**put->outcomes);
    } else {
      Failed(put->outcomes->error());
    }
    return NextPut(now);
  }
  ++next_;
  return NextAnswer(now);
}

void Batch::Begin() {
  rows_.clear();
  rows_before_.clear();
  settlements_.clear();
  settlements_before_.clear();
  errors_.clear();
  for (Finished& f : frames_) {
    rows_before_.push_back(rows_.size());
    settlements_before_.push_back(settlements_.size());
    if (!f.worked) continue;
    if (f.worked->detection) rows_.push_back(*std::move(f.worked->detection));
    std::ranges::move(f.worked->settlements, std::back_inserter(settlements_));
  }
  rows_before_.push_back(rows_.size());
  settlements_before_.push_back(settlements_.size());
  fates_.assign(frames_.size(), {});
  to_put_.assign(1, {0, frames_.size()});
  failures_ = next_ = 0;
  stored_ = false;
  store_took_ = store_began_ = Nanos(0);
}

std::span<const Detection> Batch::RowsOf(Range range) const {
  return std::span(rows_).subspan(rows_before_[range.begin],
                                  rows_before_[range.end] - rows_before_[range.begin]);
}

std::span<const Settlement> Batch::SettlementsOf(Range range) const {
  const size_t begin = settlements_before_[range.begin];
  return std::span(settlements_).subspan(begin, settlements_before_[range.end] - begin);
}

Batch::Action Batch::NextPut(Nanos now) {
  while (!to_put_.empty()) {
    putting_ = to_put_.back();
    to_put_.pop_back();
    const auto rows = RowsOf(putting_);
    const auto settlements = SettlementsOf(putting_);
    if (rows.empty() && settlements.empty()) continue;
    if (failures_ > kMostFailures) {
      Failed(Error(errors_.back()));
      continue;
    }
    put_at_ = now;
    if (store_began_ == Nanos(0)) store_began_ = now;
    return {.kind = Action::kPut, .rows = rows, .settlements = settlements};
  }
  return NextAnswer(now);
}

/// The store has taken what was put; one outcome a row.
void Batch::Take(const std::vector<PutOutcome>& outcomes) {
  size_t row = 0;
  for (size_t i = putting_.begin; i < putting_.end; ++i) {
    if (rows_before_[i] == rows_before_[i + 1]) continue;
    fates_[i].duplicate = outcomes[row++].kind == PutOutcome::kDuplicate;
    stored_ |= !fates_[i].duplicate;
  }
}

/// The store has taken nothing of what was put.
void Batch::Failed(const Error& error) {
  ++failures_;
  if (errors_.empty() || errors_.back().ToString() != error.ToString()) errors_.push_back(error);
  const size_t count = putting_.end - putting_.begin;
  if (count > 1 && MayBeOneRows(error.code) && failures_ <= kMostFailures) {
    const size_t middle = putting_.begin + count / 2;
    to_put_.push_back({middle, putting_.end});
    to_put_.push_back({putting_.begin, middle});
    return;
  }
  for (size_t i = putting_.begin; i < putting_.end; ++i) {
    fates_[i].error = static_cast<int>(errors_.size()) - 1;
  }
}

/// What a frame's row says of its picture; none where it has no row.
std::optional<ResultPayload> Batch::ResultOf(size_t frame) const {
  const auto rows = RowsOf({frame, frame + 1});
  if (rows.empty()) return std::nullopt;
  const Detection& row = rows.front();
  return ResultPayload{frames_[frame].worked->label, row.score, row.positive, row.label,
                       row.findings};
}

Batch::Action Batch::NextAnswer(Nanos now) {
  if (next_ == frames_.size()) return {};
  const Finished& f = frames_[next_];
  const Fate& fate = fates_[next_];
  ack_ = {};
  ack_.run = f.run;
  ack_.sequence = f.sequence;
  const Error* error = nullptr;
  if (!f.worked) {
    error = &f.worked.error();
    Blame(ack_, AnswerTo(*error), *error);
  } else if (fate.error >= 0) {
    // What the store says is about the store: a frame that it would never take ends in Check.
    error = &errors_[static_cast<size_t>(fate.error)];
    Blame(ack_, AckStatus::kRetry, *error);
  } else {
    ack_.status = fate.duplicate ? AckStatus::kDuplicate : AckStatus::kStored;
    ack_.stages = f.worked->stages;
    ack_.label = f.worked->label;
    ack_.score = f.worked->score;
    if (AsksForFindings(f.answer_to)) ack_.result = ResultOf(next_);
  }
  ack_.stages.queue = f.queue_us;
  ack_.stages.store = store_us();
  ack_.stages.total = Micros(now - f.at);
  return {.kind = Action::kAnswer, .frame = &f, .ack = &ack_, .error = error};
}

}  // namespace fogline
