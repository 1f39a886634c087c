#include "store/found_filter.h"

#include <algorithm>

namespace fogline {

const std::vector<FoundBox>& BoxesOf(const std::optional<Findings>& findings) {
  static const std::vector<FoundBox> none;
  const auto* boxes = findings ? std::get_if<BoxFindings>(&*findings) : nullptr;
  return boxes == nullptr ? none : boxes->boxes;
}

bool FoundFilter::Passes(const std::optional<Findings>& findings) const {
  const auto counts = [&](const FoundBox& box) {
    return box.score >= least_score &&
           (labels.empty() || std::ranges::find(labels, box.label) != labels.end());
  };
  return static_cast<size_t>(std::ranges::count_if(BoxesOf(findings), counts)) >= least;
}

}  // namespace fogline
