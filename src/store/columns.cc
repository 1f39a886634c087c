#include "store/columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_map>

#include "frame/capture_time.h"
#include "store/blur.h"

namespace fogline {
namespace {

constexpr size_t kName = 120;  // what a text takes beside its own bytes, twice

}  // namespace

void Columns::Add(const Row& row) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  last_id_ = row.id;
  ids_.push_back(row.id);
  // One that cannot be, as older clouds stored it, would stretch every time line over ages.
  captured_us_.push_back(CanBeCaptureTime(row.captured_us) ? row.captured_us : kNoTime);
  lats_.push_back(row.has_position ? row.lat : kNone);
  lons_.push_back(row.has_position ? row.lon : kNone);
  mercator_ys_.push_back(row.has_position ? MercatorY(row.lat) : kNone);
  scores_.push_back(row.score);
  positives_.push_back(row.positive ? 1 : 0);
  erased_rows_.push_back(0);
  devices_.push_back(row.device);
  labels_.push_back(row.label);
  mechanisms_.push_back(row.mechanism);
  for (const FoundBox& box : row.boxes) {
    if (overfull()) break;
    found_.push_back({FoundNumber(box.label), box.score});
  }
  found_ends_.push_back(found_gone_ + found_.size());
}

uint32_t Columns::FoundNumber(const std::string& label) {
  const auto [at, fresh] =
      found_numbers_.try_emplace(label, static_cast<uint32_t>(found_names_.size()));
  if (fresh) {
    found_names_.push_back(label);
    name_bytes_ += kName + 2 * label.size();
  }
  return at->second;
}

uint32_t Columns::Number(const std::string& text) {
  if (overfull()) return 0;
  const auto [at, fresh] = numbers_.try_emplace(text, static_cast<uint32_t>(words_.size() + 1));
  if (fresh) {
    words_.push_back(text);
    name_bytes_ += kName + 2 * text.size();
  }
  return at->second;
}

uint32_t Columns::NumberOf(const std::string& text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? 0 : found->second;
}

size_t Columns::After(uint64_t id) const {
  const auto first = ids_.begin() + static_cast<ptrdiff_t>(gone_);
  return static_cast<size_t>(ids_.end() - std::upper_bound(first, ids_.end(), id));
}

bool Columns::SameAsLastOf(const Columns& other) const {
  if (ids_.empty() || other.ids_.empty()) return false;
  const auto same = [&](auto column) {
    const auto a = (this->*column).back(), b = (other.*column).back();
    return a == b || (a != a && b != b);  // no position is equal to no position
  };
  return same(&Columns::ids_) && same(&Columns::captured_us_) && same(&Columns::lats_) &&
         same(&Columns::lons_) && same(&Columns::scores_) && same(&Columns::positives_);
}

std::span<const Columns::FoundAt> Columns::FoundIn(size_t row) const {
  const uint64_t begin = row == 0 ? found_gone_ : found_ends_[row - 1];
  return std::span(found_).subspan(begin - found_gone_, found_ends_[row] - begin);
}

std::vector<uint8_t> Columns::Wanted(const FoundFilter& filter) const {
  std::vector<uint8_t> wanted(found_names_.size(), filter.labels.empty() ? 1 : 0);
  for (const std::string& label : filter.labels) {
    const auto at = found_numbers_.find(label);
    if (at != found_numbers_.end()) wanted[at->second] = 1;
  }
  return wanted;
}

bool Columns::HoldsFound(size_t row, const FoundFilter& filter,
                         const std::vector<uint8_t>& wanted) const {
  size_t count = 0;
  for (const FoundAt& box : FoundIn(row)) {
    count += wanted[box.label] != 0 && box.score >= filter.least_score ? 1 : 0;
  }
  return count >= filter.least;
}

void Columns::Forget(uint64_t up_to_id) {
  const auto first = ids_.begin() + static_cast<ptrdiff_t>(gone_);
  const size_t before = gone_;
  gone_ = static_cast<size_t>(std::upper_bound(first, ids_.end(), up_to_id) - ids_.begin());
  for (size_t i = before; i < gone_; ++i) erased_ -= erased_rows_[i];
  if (gone_ * 4 < ids_.size()) return;
  const auto trim = [n = static_cast<ptrdiff_t>(gone_)](auto&... columns) {
    (columns.erase(columns.begin(), columns.begin() + n), ...);
  };
  if (gone_ > 0) {
    const uint64_t first_left = found_ends_[gone_ - 1];
    found_.erase(found_.begin(), found_.begin() + static_cast<ptrdiff_t>(first_left - found_gone_));
    found_gone_ = first_left;
  }
  trim(ids_, captured_us_, lats_, lons_, mercator_ys_, scores_, positives_, erased_rows_, devices_,
       labels_, mechanisms_, found_ends_);
  gone_ = 0;
}

void Columns::Erase(std::span<const uint64_t> ids) {
  const auto first = ids_.begin() + static_cast<ptrdiff_t>(gone_);
  for (const uint64_t id : ids) {
    const auto at = std::lower_bound(first, ids_.end(), id);
    if (at == ids_.end() || *at != id) continue;
    uint8_t& mark = erased_rows_[static_cast<size_t>(at - ids_.begin())];
    erased_ += mark == 0 ? 1 : 0;
    mark = 1;
  }
  if (erased_ > 0 && erased_ * 4 >= ids_.size()) Compact();
}

void Columns::Compact() {
  size_t to = gone_;
  uint64_t begin = gone_ == 0 ? found_gone_ : found_ends_[gone_ - 1];
  auto found_to = found_.begin() + static_cast<ptrdiff_t>(begin - found_gone_);
  const auto each = [this](auto work) {
    work(ids_, captured_us_, lats_, lons_, mercator_ys_, scores_, positives_, erased_rows_,
         devices_, labels_, mechanisms_, found_ends_);
  };
  for (size_t i = gone_; i < ids_.size(); ++i) {
    const uint64_t end = found_ends_[i];
    if (erased_rows_[i] == 0) {
      const auto from = found_.begin() + static_cast<ptrdiff_t>(begin - found_gone_);
      found_to = std::copy_n(from, end - begin, found_to);
      each([&](auto&... columns) { ((columns[to] = columns[i]), ...); });
      found_ends_[to] = found_gone_ + static_cast<uint64_t>(found_to - found_.begin());
      ++to;
    }
    begin = end;
  }
  found_.erase(found_to, found_.end());
  each([to](auto&... columns) { (columns.resize(to), ...); });
  erased_ = 0;
}

template <typename Each>
void Columns::Scan(const Filter& filter, const WordFilter& words, bool positioned,
                   Each each) const {
  const auto first =
      std::upper_bound(ids_.begin() + static_cast<ptrdiff_t>(gone_), ids_.end(), filter.after_id);
  const auto last = std::lower_bound(first, ids_.end(), filter.before_id);
  const auto begin = static_cast<size_t>(first - ids_.begin());
  const auto end = static_cast<size_t>(last - ids_.begin());
  const bool needs_position = positioned || filter.box.has_value();
  const bool needs_time = filter.ByTime();
  const bool needs_found = filter.found.asks();
  const std::vector<uint8_t> wanted = Wanted(filter.found);
  for (size_t i = begin; i < end; ++i) {
    if (erased_rows_[i] != 0) continue;
    if (needs_position && std::isnan(lats_[i])) continue;
    if (filter.box && !filter.box->Contains(lats_[i], lons_[i])) continue;
    if (needs_time && (captured_us_[i] == kNoTime || captured_us_[i] < filter.from_us ||
                       captured_us_[i] >= filter.to_us)) {
      continue;
    }
    if (scores_[i] < filter.min_score || scores_[i] > filter.max_score) continue;
    if (filter.positive_only && positives_[i] == 0) continue;
    if (!words.labels.empty() && !words.labels.contains(labels_[i])) continue;
    if (!words.devices.empty() && !words.devices.contains(devices_[i])) continue;
    if (!words.mechanisms.empty() && !words.mechanisms.contains(mechanisms_[i])) continue;
    if (needs_found && !HoldsFound(i, filter.found, wanted)) continue;
    each(i);
  }
}

std::vector<HexCount> Columns::Hexagons(const Filter& filter, const WordFilter& words,
                                        int level) const {
  const HexGrid grid(level);
  std::unordered_map<HexCell, HexCount> cells;
  Scan(filter, words, true, [&](size_t i) {
    const HexCell at = filter.decimals ? grid.At(RoundDegrees(lats_[i], *filter.decimals),
                                                 RoundDegrees(lons_[i], *filter.decimals))
                                       : grid.AtMercator(lons_[i] / 360 + 0.5, mercator_ys_[i]);
    HexCount& cell = cells[at];
    cell.cell = at;
    cell.newest_us = cell.count == 0 ? captured_us_[i] : std::max(cell.newest_us, captured_us_[i]);
    ++cell.count;
    cell.positives += positives_[i];
    cell.max_score = std::max(cell.max_score, scores_[i]);
  });
  std::vector<HexCount> counts;
  counts.reserve(cells.size());
  for (const auto& [at, cell] : cells) {
    counts.push_back(cell);
    if (cell.newest_us == kNoTime) counts.back().newest_us = 0;
  }
  return counts;
}

TimeCounts Columns::Timeline(const Filter& filter, const WordFilter& words, int64_t from_us,
                             int64_t to_us, size_t bins) const {
  TimeCounts counts{.bins = std::vector<TimeBin>(bins)};
  const double from = static_cast<double>(from_us), width = static_cast<double>(to_us) - from;
  const double scale = static_cast<double>(bins) / width;
  Scan(filter, words, false, [&](size_t i) {
    const int64_t at = captured_us_[i];
    if (at == kNoTime) {
      ++counts.untimed;
      return;
    }
    counts.Reach(at);
    if (bins == 0 || at < from_us || at >= to_us) return;
    const auto bin = static_cast<size_t>((static_cast<double>(at) - from) * scale);
    TimeBin& count = counts.bins[std::min(bin, bins - 1)];
    ++count.count;
    count.positives += positives_[i];
  });
  return counts;
}

std::vector<FoundTally> Columns::Found(const Filter& filter, const WordFilter& words) const {
  std::vector<FoundTally> tallies(found_names_.size());
  std::vector<size_t> counted_in(found_names_.size(), std::numeric_limits<size_t>::max());
  Scan(filter, words, false, [&](size_t i) {
    for (const FoundAt& box : FoundIn(i)) {
      if (box.score < filter.found.least_score) continue;
      FoundTally& tally = tallies[box.label];
      ++tally.boxes;
      if (counted_in[box.label] != i) ++tally.pictures;
      counted_in[box.label] = i;
    }
  });
  for (size_t i = 0; i < tallies.size(); ++i) tallies[i].label = found_names_[i];
  std::erase_if(tallies, [](const FoundTally& tally) { return tally.boxes == 0; });
  std::ranges::sort(tallies, [](const FoundTally& a, const FoundTally& b) {
    return std::tie(b.pictures, b.boxes, a.label) < std::tie(a.pictures, a.boxes, b.label);
  });
  if (tallies.size() > kMostTallies) tallies.resize(kMostTallies);
  return tallies;
}

std::vector<uint64_t> Columns::Ids(const Filter& filter, const WordFilter& words, Order order,
                                   size_t limit) const {
  std::vector<uint64_t> ids;
  Scan(filter, words, false, [&](size_t i) { ids.push_back(ids_[i]); });
  if (order == Order::kNewestFirst) std::reverse(ids.begin(), ids.end());
  ids.resize(std::min(ids.size(), limit));
  return ids;
}

}  // namespace fogline
