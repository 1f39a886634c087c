#include "web/timeline_cache.h"

#include <algorithm>

#include "base/text.h"

namespace fogline {
namespace {

constexpr size_t kMostLines = 64;
constexpr Nanos kBetweenCounts = std::chrono::seconds(2);
constexpr Nanos kBetweenForgetting = std::chrono::seconds(30);
/// A line that live rows have outgrown gets a part of its length more, so that the next of them
/// find it long enough.
constexpr int64_t kSlack = 16;
// Times beyond are a clock gone wrong; they do not stretch the line over ages.
constexpr int64_t kEarliestUs = -253'402'300'800'000'000, kLatestUs = 253'402'300'800'000'000;

std::string KeyOf(const Filter& f, size_t bins) {
  std::string key = fmt::format("{} {} {} {} {} {} {} {} {} {}", bins, f.from_us, f.to_us,
                                f.min_score, f.max_score, f.positive_only, f.after_id, f.before_id,
                                f.found.least, f.found.least_score);
  if (f.box) {
    fmt::format_to(std::back_inserter(key), " {} {} {} {}", f.box->west, f.box->south, f.box->east,
                   f.box->north);
  }
  for (const auto* texts : {&f.labels, &f.devices, &f.mechanisms, &f.found.labels}) {
    key += '|';
    for (const std::string& text : *texts) key += JsonQuote(text);
  }
  return key;
}

/// The filter without its time, which the line itself has.
Filter WithoutTime(Filter filter) {
  filter.from_us = Filter().from_us;
  filter.to_us = Filter().to_us;
  return filter;
}

}  // namespace

Result<TimelineCache::Ends> TimelineCache::ReadEnds() {
  Ends ends;
  FOGLINE_TRY(ends.deletions, store_.Deletions());
  FOGLINE_TRY(ends.forgotten_id, store_.ForgottenId());
  FOGLINE_TRY(ends.last_id, store_.CountedId());
  return ends;
}

TimelineCache::Entry& TimelineCache::Find(const Filter& filter, size_t bins) {
  const std::string key = KeyOf(filter, bins);
  if (entries_.size() >= kMostLines && !entries_.contains(key)) {
    entries_.erase(std::ranges::min_element(entries_, {},
                                            [](const auto& entry) { return entry.second.used; }));
  }
  Entry& entry = entries_[key];
  entry.used = ++asked_;
  return entry;
}

Status TimelineCache::CountWhole(Entry& entry, const Filter& filter, size_t bins,
                                 const Ends& ends) {
  ++whole_counts_;
  Filter upto = WithoutTime(filter);
  upto.before_id = std::min(upto.before_id, ends.last_id + 1);
  FOGLINE_TRY(entry.line.counts, store_.Timeline(upto, entry.line.from_us, entry.line.to_us, bins));
  entry.counted = true;
  entry.counted_id = ends.last_id;
  entry.forgotten_id = ends.forgotten_id;
  entry.deletions = ends.deletions;
  entry.counted_at = clock_.Steady();
  return {};
}

Status TimelineCache::CountNew(Entry& entry, const Filter& filter, size_t bins, const Ends& ends) {
  if (ends.last_id <= entry.counted_id) return {};
  Filter fresh = WithoutTime(filter);
  fresh.after_id = std::max(fresh.after_id, entry.counted_id);
  fresh.before_id = std::min(fresh.before_id, ends.last_id + 1);
  FOGLINE_TRY(const TimeCounts more,
              store_.Timeline(fresh, entry.line.from_us, entry.line.to_us, bins));
  TimeCounts& counts = entry.line.counts;
  for (size_t i = 0; i < bins; ++i) {
    counts.bins[i].count += more.bins[i].count;
    counts.bins[i].positives += more.bins[i].positives;
  }
  counts.untimed += more.untimed;
  if (more.timed) {
    counts.Reach(more.first_us);
    counts.Reach(more.last_us);
  }
  entry.counted_id = ends.last_id;
  return {};
}

Result<TimelineCache::Entry*> TimelineCache::Carry(const Filter& filter, size_t bins,
                                                   const Ends& ends, int64_t from_us, int64_t to_us,
                                                   bool grows) {
  Entry& entry = Find(filter, bins);
  Line& line = entry.line;
  const Nanos age = clock_.Steady() - entry.counted_at;
  const bool outgrown = from_us < line.from_us || to_us > line.to_us;
  const bool shrunk = ends.forgotten_id > entry.forgotten_id && age >= kBetweenForgetting;
  const bool stale = outgrown || ends.deletions != entry.deletions;
  if (!entry.counted || shrunk || (stale && age >= kBetweenCounts)) {
    const int64_t slack = entry.counted && outgrown && grows ? (to_us - from_us) / kSlack : 0;
    line.from_us = from_us;
    line.to_us = to_us + slack;
    const Status whole = CountWhole(entry, filter, bins, ends);
    if (!whole) entries_.erase(KeyOf(filter, bins));
    FOGLINE_CHECK(whole);
  } else {
    FOGLINE_CHECK(CountNew(entry, filter, bins, ends));
  }
  return &entry;
}

Result<const TimelineCache::Line*> TimelineCache::Count(const Filter& filter, size_t bins) {
  const Filter everything;
  const bool from_open = filter.from_us == everything.from_us;
  const bool to_open = filter.to_us == everything.to_us;
  FOGLINE_TRY(const Ends ends, ReadEnds());
  int64_t from_us = filter.from_us, to_us = filter.to_us;
  if (from_open || to_open) {
    FOGLINE_TRY(const Entry* all, Carry(everything, 0, ends, 0, 0, false));
    const TimeCounts& span = all->line.counts;
    if (from_open) from_us = std::max(span.first_us, kEarliestUs);
    if (to_open) to_us = std::max(std::min(span.last_us, kLatestUs), from_us) + 1000;
  }
  FOGLINE_TRY(const Entry* entry, Carry(filter, bins, ends, from_us, to_us, to_open));
  return &entry->line;
}

Result<uint64_t> TimelineCache::Untimed(const Filter& filter) {
  FOGLINE_TRY(const Ends ends, ReadEnds());
  FOGLINE_TRY(const Entry* entry, Carry(WithoutTime(filter), 0, ends, 0, 0, false));
  return entry->line.counts.untimed;
}

}  // namespace fogline
