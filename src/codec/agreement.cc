#include "codec/agreement.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
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

/// Cells that both have in one class, and that either has in it.
struct Overlap {
  double both = 0, either = 0;
  bool true_one = false;  // the whole model has it somewhere
};

/// The label of a cell; nothing where the mask has none there.
const std::string* LabelAt(const MaskFindings& found, size_t cell) {
  const auto& cells = found.mask.cells;
  if (cell >= cells.size() || cells[cell] >= found.shares.size()) return nullptr;
  return &found.shares[cells[cell]].label;
}

std::optional<double> OfMasks(std::span<const Findings> whole, std::span<const Findings> other) {
  std::map<std::string_view, Overlap> classes;
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto& truth = std::get<MaskFindings>(whole[i]);
    const auto* found = std::get_if<MaskFindings>(&other[i]);
    const bool alike = found != nullptr && found->mask.width == truth.mask.width;
    for (size_t cell = 0; cell < truth.mask.cells.size(); ++cell) {
      const std::string* const is = LabelAt(truth, cell);
      const std::string* const said = alike ? LabelAt(*found, cell) : nullptr;
      if (is != nullptr) {
        Overlap& one = classes[*is];
        one.true_one = true;
        one.either += 1;
        one.both += said != nullptr && *said == *is ? 1 : 0;
      }
      if (said != nullptr && (is == nullptr || *said != *is)) classes[*said].either += 1;
    }
  }
  double sum = 0, count = 0;
  for (const auto& [label, one] : classes) {
    if (!one.true_one) continue;
    sum += one.both / one.either;
    count += 1;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace

std::optional<double> AgreementOf(std::span<const Findings> whole,
                                  std::span<const Findings> other) {
  if (whole.empty() || whole.size() != other.size()) return {};
  if (AreAll<ClassFindings>(whole)) return OfClasses(whole, other);
  if (AreAll<BoxFindings>(whole)) return OfBoxes(whole, other);
  if (AreAll<MaskFindings>(whole)) return OfMasks(whole, other);
  return {};
}

}  // namespace fogline
