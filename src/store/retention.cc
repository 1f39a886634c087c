#include "store/retention.h"

#include <limits>

namespace fogline {
namespace {

/// What a block of names takes at most, indexes and keys included, in either store.
constexpr uint64_t kNameBlockBytes = 256;

}  // namespace

uint64_t MostNameBlocks(const Retention& keep) {
  if (keep.bytes == 0) return std::numeric_limits<uint64_t>::max();
  return std::max<uint64_t>(1, keep.bytes / 4 / kNameBlockBytes);
}

Result<uint64_t> LastTooOld(const ReadStoredAt& read, std::chrono::microseconds age,
                            int64_t now_us) {
  if (age.count() <= 0) return 0;
  const int64_t limit_us = now_us - age.count();
  FOGLINE_TRY(const auto rows, read(0, kForgetRows));
  uint64_t up_to = 0;
  bool known = false;  // whether any of them says when it came
  for (const StoredAt& row : rows) {
    if (row.stored_us > now_us) continue;
    known = true;
    if (row.stored_us > limit_us) break;
    up_to = row.id;
  }
  if (known || rows.empty()) return up_to;
  // Look further and further ahead for one that does: few reads, however long the clock was wrong.
  for (uint64_t ahead = 1;; ahead *= 2) {
    FOGLINE_TRY(const auto later, read(rows.back().id + ahead, 1));
    if (later.empty()) return 0;
    if (later[0].stored_us <= now_us) return later[0].stored_us <= limit_us ? rows.back().id : 0;
  }
}

bool Pressure::Wants(uint64_t used, const Retention& keep) {
  if (keep.bytes == 0) return false;
  if (full_ && target_ == 0) target_ = used - used / 20;
  if (full_ && used <= target_) {
    full_ = false;
    target_ = 0;
  }
  return full_ || used > keep.bytes;
}

}  // namespace fogline
