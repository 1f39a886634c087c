#include "vision/numbers.h"

#include <cmath>
#include <string>
#include <vector>

#include "vision/floats.h"

namespace fogline {

Result<NumberFindings> ReadNumbers(const TensorView& output, const ModelCard& card) {
  std::vector<float> room;
  auto values = AsNumbers(output, room);
  // Of a network of several pictures at once the first row is this one's.
  if (output.shape.rank() > 1) {
    values = values.first(values.size() / static_cast<size_t>(card.batch));
  }
  const size_t labels = card.labels.size();
  if (values.empty() || values.size() > kMaxNumbers || (labels > 0 && values.size() != labels)) {
    return Fail(ErrorCode::kConflict, card.output, "gives {} numbers of {}, {}", values.size(),
                DTypeName(output.dtype),
                labels > 0 ? "the card has " + std::to_string(labels) + " labels"
                           : "1 to " + std::to_string(kMaxNumbers) +
                                 " are read: say kind = \"raw\" under [output] of its card");
  }
  NumberFindings found;
  for (size_t i = 0; i < values.size(); ++i) {
    std::string name = labels > 0 ? FoundText(card.labels[i]) : std::to_string(i);
    if (!std::isfinite(values[i])) {
      return Fail(ErrorCode::kConflict, card.output, "gives {} as '{}': the model is at fault",
                  values[i], name);
    }
    const std::string unit = card.units.empty() ? "" : card.units[card.units.size() == 1 ? 0 : i];
    found.numbers.push_back({std::move(name), values[i], FoundText(unit)});
  }
  return found;
}

}  // namespace fogline
