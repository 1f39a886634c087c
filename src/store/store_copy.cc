#include "store/store_copy.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/hash.h"
#include "store/redis_row.h"

namespace fogline {
namespace {

/// Rows of the target that lie so near each other are read in one question, with those between.
constexpr uint64_t kNear = 64;

/// Rows of the source, pictures included, ready to be put.
struct CopiedPage {
  std::vector<uint64_t> ids;
  std::vector<Detection> detections;
  std::vector<int64_t> stored_us;

  size_t size() const { return ids.size(); }
};

/// Everything of a row but its id and the network's time, which may come later than the row.
std::string Canonical(Detection& detection, int64_t stored_us) {
  const float network_ms = std::exchange(detection.stages.network, kUnknown);
  RedisCommand fields;
  AppendRedisRow(detection, stored_us, fields);
  detection.stages.network = network_ms;
  std::string text;
  for (const std::string& field : fields) text += fmt::format("{}:{}", field.size(), field);
  text.append(reinterpret_cast<const char*>(detection.thumbnail.data()),
              detection.thumbnail.size());
  return text;
}

/// A checksum over rows, one after the other.
class RowSum {
 public:
  void Add(std::string_view row) {
    std::string text(reinterpret_cast<const char*>(sum_.data()), sum_.size());
    text += row;
    sum_ = HashSha256(std::as_bytes(std::span(text)));
  }
  std::string Hex() const { return ToHex(sum_); }

 private:
  Sha256 sum_{};
};

class Copying {
 public:
  Copying(Store& from, Store& to, const CopyOptions& options)
      : from_(from), to_(to), options_(options), mark_("copy:" + from.epoch()) {}

  Result<CopyReport> Run() {
    if (from_.epoch() == to_.epoch()) {
      return Fail(ErrorCode::kConflict, "epoch " + from_.epoch(),
                  "is that of both: they are one store, or copies of one file");
    }
    FOGLINE_TRY(report_.began_after, to_.Mark(mark_));
    FOGLINE_TRY(report_.end, from_.LastId());
    report_.at = report_.began_after;
    FOGLINE_CHECK(EachPage(report_.began_after, [this](CopiedPage& page) { return Copy(page); }));
    report_.verifying = true;
    FOGLINE_CHECK(EachPage(0, [this](CopiedPage& page) { return Compare(page); }));
    report_.checksum_from = sum_from_.Hex();
    report_.checksum_to = sum_to_.Hex();
    return report_;
  }

 private:
  /// Rows that the source holds behind an id, up to the end.
  Status EachPage(uint64_t after, const std::function<Status(CopiedPage&)>& work) {
    for (;;) {
      FOGLINE_TRY(const auto rows, from_.Query({.after_id = after, .before_id = report_.end + 1},
                                               Order::kOldestFirst, options_.page_rows));
      if (rows.empty()) return {};
      CopiedPage page;
      FOGLINE_TRY(after, Fill(rows, page));
      FOGLINE_CHECK(work(page));
      report_.at = after;
      if (!options_.progress(report_)) {
        return Fail(ErrorCode::kCancelled, "copy", "stopped at id {} of {}", after, report_.end);
      }
    }
  }

  /// Takes as many of the rows as fit a page; the id of the last of them.
  Result<uint64_t> Fill(const std::vector<StoredDetection>& rows, CopiedPage& page) {
    size_t bytes = 0;
    uint64_t last = 0;
    for (const StoredDetection& row : rows) {
      if (bytes > options_.page_bytes) break;
      last = row.id;
      Detection detection = row.detection;
      if (row.has_thumbnail) {
        auto jpeg = from_.Thumbnail(row.id);
        // The source has forgotten it meanwhile, as it would have a moment earlier.
        if (!jpeg && jpeg.error().code == ErrorCode::kNotFound) continue;
        FOGLINE_TRY(detection.thumbnail, std::move(jpeg));
        bytes += detection.thumbnail.size();
      }
      page.ids.push_back(row.id);
      page.detections.push_back(std::move(detection));
      page.stored_us.push_back(row.stored_us);
    }
    return last;
  }

  Status Copy(CopiedPage& page) {
    FOGLINE_TRY(const auto outcomes, to_.Take(page.detections, page.stored_us));
    for (const PutOutcome& outcome : outcomes) {
      ++(outcome.kind == PutOutcome::kStored ? report_.copied : report_.known);
    }
    return page.ids.empty() ? Status() : to_.SetMark(mark_, page.ids.back());
  }

  /// What is put again is found, and what was lost since is there again.
  Status Compare(CopiedPage& page) {
    FOGLINE_TRY(const auto outcomes, to_.Take(page.detections, page.stored_us));
    std::vector<uint64_t> ids;
    for (const PutOutcome& outcome : outcomes) {
      if (outcome.kind == PutOutcome::kStored) ++report_.repaired;
      if (outcome.id != 0) ids.push_back(outcome.id);
    }
    FOGLINE_TRY(auto held, Held(std::move(ids)));
    std::vector<Settlement> late;
    for (size_t i = 0; i < page.size(); ++i) {
      const auto found = held.find(outcomes[i].id);
      if (outcomes[i].id == 0 || found == held.end()) {
        ++report_.forgotten;
        continue;
      }
      FOGLINE_CHECK(
          CompareRow(page.ids[i], page.detections[i], page.stored_us[i], found->second, late));
    }
    report_.settled += late.size();
    return late.empty() ? Status() : to_.Put({}, late).map([](const auto&) {});
  }

  Status CompareRow(uint64_t id, Detection& row, int64_t stored_us, StoredDetection& copy,
                    std::vector<Settlement>& late) {
    if (copy.stored_us != stored_us) {
      ++report_.own;
      return {};
    }
    if (copy.has_thumbnail) {
      FOGLINE_TRY(copy.detection.thumbnail, to_.Thumbnail(copy.id));
    }
    const std::string ours = Canonical(row, stored_us);
    const std::string theirs = Canonical(copy.detection, copy.stored_us);
    if (ours != theirs) {
      return Fail(ErrorCode::kConflict, row.device,
                  "row {} (run {:016x}, sequence {}) is another in the target, where it is row {}: "
                  "copy into an empty store",
                  id, row.run, row.sequence, copy.id);
    }
    sum_from_.Add(ours);
    sum_to_.Add(theirs);
    ++report_.compared;
    const float network_ms = row.stages.network;
    if (std::isfinite(network_ms) && copy.detection.stages.network != network_ms) {
      late.push_back({row.device, row.run, row.sequence, network_ms});
    }
    return {};
  }

  /// Rows of the target by their ids.
  Result<std::unordered_map<uint64_t, StoredDetection>> Held(std::vector<uint64_t> ids) {
    std::sort(ids.begin(), ids.end());
    std::unordered_map<uint64_t, StoredDetection> held;
    for (size_t first = 0; first < ids.size();) {
      size_t end = first + 1;
      while (end < ids.size() && ids[end] - ids[end - 1] <= kNear) ++end;
      const Filter between{.after_id = ids[first] - 1, .before_id = ids[end - 1] + 1};
      FOGLINE_TRY(auto rows,
                  to_.Query(between, Order::kOldestFirst, ids[end - 1] - ids[first] + 1));
      for (StoredDetection& row : rows) held.emplace(row.id, std::move(row));
      first = end;
    }
    return held;
  }

  Store& from_;
  Store& to_;
  const CopyOptions& options_;
  const std::string mark_;
  CopyReport report_;
  RowSum sum_from_, sum_to_;
};

}  // namespace

Result<CopyReport> CopyStore(Store& from, Store& to, const CopyOptions& options) {
  return Copying(from, to, options).Run();
}

}  // namespace fogline
