#include "web/found_filter.h"

#include <algorithm>

namespace fogline {
namespace {

constexpr size_t kFoundPage = 500;

}  // namespace

Result<FoundFilter> FoundFilter::Read(Parameters& parameters) {
  FoundFilter filter;
  FOGLINE_TRY(filter.labels, parameters.List("found"));
  const bool asks = !filter.labels.empty() || parameters.Has("found_score");
  FOGLINE_TRY(const int64_t least,
              parameters.Integer("found_least", 1, static_cast<int64_t>(kMaxBoxes), asks ? 1 : 0));
  FOGLINE_TRY(const double score, parameters.Number("found_score", 0, 1, 0));
  filter.least = static_cast<size_t>(least);
  filter.least_score = static_cast<float>(score);
  return filter;
}

bool FoundFilter::Passes(const Detection& detection) const {
  if (!asks()) return true;
  if (!detection.findings) return false;
  const auto* boxes = std::get_if<BoxFindings>(&*detection.findings);
  if (boxes == nullptr) return false;
  const auto counts = [&](const FoundBox& box) {
    return box.score >= least_score &&
           (labels.empty() || std::ranges::find(labels, box.label) != labels.end());
  };
  return static_cast<size_t>(std::ranges::count_if(boxes->boxes, counts)) >= least;
}

Result<FoundRows> QueryFound(Store& store, Filter filter, const FoundFilter& found, Order order,
                             size_t limit) {
  FoundRows result;
  if (!found.asks()) {
    FOGLINE_TRY(result.rows, store.Query(filter, order, limit));
    result.more = result.rows.size() == limit;
    if (!result.rows.empty()) result.read_to = result.rows.back().id;
    return result;
  }
  for (size_t read = 0; read < kMostFoundRead;) {
    FOGLINE_TRY(auto page, store.Query(filter, order, kFoundPage));
    for (StoredDetection& row : page) {
      result.read_to = row.id;
      if (found.Passes(row.detection)) result.rows.push_back(std::move(row));
      if (result.rows.size() == limit) break;
    }
    read += page.size();
    result.more = page.size() == kFoundPage || result.rows.size() == limit;
    if (page.size() < kFoundPage || result.rows.size() == limit) return result;
    (order == Order::kNewestFirst ? filter.before_id : filter.after_id) = result.read_to;
  }
  return result;
}

}  // namespace fogline
