#include "codec/agreement.h"

#include <algorithm>
#include <vector>

#include "vision/average_precision.h"

namespace fogline {
namespace {

template <typename Kind>
bool AreAll(std::span<const Findings> findings) {
  return std::ranges::all_of(findings,
                             [](const Findings& one) { return std::holds_alternative<Kind>(one); });
}

double OfClasses(std::span<const Findings> whole, std::span<const Findings> other) {
  double same = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto* said = std::get_if<ClassFindings>(&other[i]);
    if (said != nullptr && said->label == std::get<ClassFindings>(whole[i]).label) same += 1;
  }
  return same / static_cast<double>(whole.size());
}

std::optional<double> OfBoxes(std::span<const Findings> whole, std::span<const Findings> other) {
  std::vector<JudgedPicture> pictures(whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const FoundBox& box : std::get<BoxFindings>(whole[i]).boxes) {
      pictures[i].truth.push_back({box.label, box.x, box.y, box.w, box.h});
    }
    if (const auto* found = std::get_if<BoxFindings>(&other[i])) pictures[i].found = found->boxes;
  }
  const MeanPrecision mean = PrecisionOf(pictures);
  return mean.classes.empty() ? std::nullopt : std::optional(mean.map50);
}

}  // namespace

std::optional<double> AgreementOf(std::span<const Findings> whole,
                                  std::span<const Findings> other) {
  if (whole.empty() || whole.size() != other.size()) return {};
  if (AreAll<ClassFindings>(whole)) return OfClasses(whole, other);
  if (AreAll<BoxFindings>(whole)) return OfBoxes(whole, other);
  return {};
}

}  // namespace fogline
