#include "store/store_delete.h"

#include <algorithm>

#include "frame/capture_time.h"
#include "store/retention.h"

namespace fogline {
namespace {

/// Every row that passes and is there now, in pages of at most so many.
Status EachPage(Store& store, Filter filter, size_t most,
                const std::function<Status(const std::vector<StoredDetection>&)>& work) {
  FOGLINE_TRY(const uint64_t last, store.LastId());
  filter.before_id = std::min(filter.before_id, last + 1);
  for (;;) {
    FOGLINE_TRY(const auto rows, store.Query(filter, Order::kOldestFirst, most));
    if (rows.empty()) return {};
    filter.after_id = rows.back().id;
    FOGLINE_CHECK(work(rows));
  }
}

tl::unexpected<Error> FailStopped(const DeleteReport& report) {
  return Fail(ErrorCode::kCancelled, "delete", "stopped at id {}", report.last_id);
}

}  // namespace

void DeleteReport::Add(const StoredDetection& row) {
  const Detection& d = row.detection;
  ++rows;
  pictures += row.has_thumbnail ? 1 : 0;
  if (first_id == 0) first_id = row.id;
  last_id = row.id;
  ++devices[d.device];
  if (d.captured_from == TimeSource::kNone || !CanBeCaptureTime(d.captured_us)) return;
  first_us = timed ? std::min(first_us, d.captured_us) : d.captured_us;
  last_us = timed ? std::max(last_us, d.captured_us) : d.captured_us;
  timed = true;
}

Result<DeleteReport> CountRows(Store& store, const Filter& filter, const DeleteProgress& progress) {
  constexpr size_t kPage = 1000;
  DeleteReport report;
  FOGLINE_CHECK(EachPage(store, filter, kPage, [&](const auto& rows) -> Status {
    for (const StoredDetection& row : rows) report.Add(row);
    return progress(report) ? Status() : FailStopped(report);
  }));
  return report;
}

Result<DeleteReport> DeleteRows(Store& store, const Filter& filter,
                                const DeleteProgress& progress) {
  DeleteReport report;
  const auto page = [&](const std::vector<StoredDetection>& rows) -> Status {
    std::vector<uint64_t> ids;
    ids.reserve(rows.size());
    for (const StoredDetection& row : rows) ids.push_back(row.id);
    FOGLINE_CHECK(store.Delete(ids).map([](uint64_t) {}));
    for (const StoredDetection& row : rows) report.Add(row);
    return progress(report) ? Status() : FailStopped(report);
  };
  FOGLINE_CHECK(EachPage(store, filter, kForgetRows, page));
  return report;
}

}  // namespace fogline
