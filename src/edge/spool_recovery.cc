// What an earlier run left in a spool, and what cannot be read for now.
#include <algorithm>

#include "base/log.h"
#include "edge/spool.h"

namespace fogline {
namespace {

using namespace std::chrono_literals;

constexpr Nanos kMostDiskRest = 1min;

}  // namespace

/// Reads a segment of an earlier run: where its frames lie, and which are done, here and elsewhere.
/// False when it cannot be read now.
bool Spool::Scan(Segments::iterator segment, ScannedSegment& scanned) {
  auto read = folder_->Scan(segment->first, segment->second.size);
  if (!read) {
    Rest(segment, read.error().message);
    return false;
  }
  scanned = *std::move(read);
  counts_.damaged_bytes += scanned.damaged_bytes;
  return true;
}

/// The frames of a segment that was just scanned, less those that are done, wait.
void Spool::Count(Segments::iterator segment, const std::vector<uint32_t>& frames) {
  auto& [id, s] = *segment;
  for (const uint32_t offset : frames) {
    if (!std::binary_search(s.done.begin(), s.done.end(), offset)) ++s.waiting;
  }
  counts_.waiting += s.waiting;
  counts_.recovered += s.waiting;
  if (s.waiting == 0) return;
  // The process that wrote it may have died before its sync.
  s.unsynced = folder_->Find(id);
  if (young_.empty()) young_.push_back({{}, Clock::Real().Steady()});
}

Status Spool::Recover() {
  FOGLINE_TRY(const auto listing, folder_->List());
  for (const auto& [id, size] : listing.sizes) {
    segments_[id].size = static_cast<uint32_t>(size);
    counts_.bytes += size;
  }
  next_ = std::max(next_, listing.last + 1);
  std::map<uint64_t, std::vector<uint32_t>> frames, marks;  // by segment
  for (auto segment = segments_.begin(); segment != segments_.end(); ++segment) {
    ScannedSegment scanned;
    segment->second.unread = !Scan(segment, scanned);
    unread_ += segment->second.unread ? 1 : 0;
    frames[segment->first] = std::move(scanned.frames);
    for (const auto& [id, done] : scanned.marks) {
      marks[id].insert(marks[id].end(), done.begin(), done.end());
    }
  }
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto next = std::next(segment);
    segment->second.done = std::move(marks[segment->first]);
    std::ranges::sort(segment->second.done);
    Count(segment, frames[segment->first]);
    Retire(segment);
    segment = next;
  }
  if (counts_.damaged_bytes > 0) {
    LogWarning("--spool {}: {} bytes were torn or damaged; what they held is lost",
               options_.folder.string(), counts_.damaged_bytes);
  }
  if (counts_.recovered > 0) {
    LogInfo("--spool {}: {} frames of earlier runs are sent first", options_.folder.string(),
            counts_.recovered);
  }
  return {};
}

/// A segment that cannot be read now is left alone for a while. Said once until it can.
void Spool::Rest(Segments::iterator segment, const std::string& why) {
  Segment& s = segment->second;
  if (s.rest == Nanos(0)) {
    LogError("{}: {}; what it holds stays and is tried again",
             folder_->PathOf(segment->first).string(), why);
  }
  s.rest = s.rest == Nanos(0) ? options_.rest : std::min(2 * s.rest, kMostDiskRest);
  s.rests_until = Clock::Real().Steady() + s.rest;
}

/// What waits in a segment that could not be read when the spool was opened. False when it still
/// cannot be.
bool Spool::ReadLate(Segments::iterator segment) {
  ScannedSegment scanned;
  if (!Scan(segment, scanned)) return false;
  Segment& s = segment->second;
  s.unread = false;
  --unread_;
  s.rest = Nanos(0);
  const auto& own = scanned.marks[segment->first];
  s.done.insert(s.done.end(), own.begin(), own.end());
  std::ranges::sort(s.done);
  Count(segment, scanned.frames);
  return true;
}

}  // namespace fogline
