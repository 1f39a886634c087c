#include "vision/boxes.h"

#include <algorithm>
#include <cmath>

#include "base/probability.h"
#include "vision/box_layout.h"
#include "vision/floats.h"
#include "vision/suppress.h"

namespace fogline {
namespace {

/// One pass that compilers turn into vector arithmetic.
bool HoldsNaN(std::span<const float> values) {
  int nan = 0;
  for (const float v : values) nan |= static_cast<int>(v != v);
  return nan != 0;
}

/// A candidate as a box in parts of the picture; no size where none of it lies there.
FoundBox InPicture(const BoxCandidate& c, const Placement& place) {
  const auto part = [](double at, double from, double size) {
    return std::clamp((at - from) / size, 0.0, 1.0);
  };
  const double left = part(c.left, place.left, place.width);
  const double right = part(c.right, place.left, place.width);
  const double top = part(c.top, place.top, place.height);
  const double bottom = part(c.bottom, place.top, place.height);
  FoundBox box;
  box.x = static_cast<float>(left);
  box.y = static_cast<float>(top);
  box.w = static_cast<float>(right - left);
  box.h = static_cast<float>(bottom - top);
  return box;
}

/// The outputs as they came, by the names that the model has for them.
std::vector<Port> PortsOf(std::span<const Tensor> outputs, std::span<const Port> ports) {
  std::vector<Port> came;
  for (size_t i = 0; i < std::min(outputs.size(), ports.size()); ++i) {
    came.push_back({ports[i].name, outputs[i].dtype(), outputs[i].shape()});
  }
  return came;
}

}  // namespace

Result<BoxFindings> ReadBoxes(std::span<const Tensor> outputs, std::span<const Port> ports,
                              const ModelCard& card, const Placement& place) {
  const BoxRules& rules = card.boxes;
  if (!rules.layout) {
    return Fail(ErrorCode::kConflict, card.output,
                "holds boxes of a layout that the card does not name");
  }
  const LayoutRow& row = RowOf(*rules.layout);
  const auto head = FindBoxHead(row.layout, PortsOf(outputs, ports), card.picture(), rules);
  if (!head) {
    return Fail(ErrorCode::kConflict, card.output,
                "came in shapes that are not of layout \"{}\": {}", row.word,
                ShapesOf(row.layout, card.picture(), rules));
  }
  BoxNumbers numbers;
  numbers.width = static_cast<float>(card.width);
  numbers.height = static_cast<float>(card.height);
  numbers.logits = rules.logits.value_or(row.logits);
  numbers.room.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    numbers.outputs.push_back(AsNumbers(outputs[i].view(), numbers.room[i]));
    if (HoldsNaN(numbers.outputs[i])) {
      return Fail(ErrorCode::kConflict, ports[i].name, "holds NaN: the model is at fault");
    }
  }
  BoxCandidates found(rules.least_score);
  row.decode(*head, rules, numbers, found);
  if (!ToProbability(found.largest_score())) {
    return Fail(
        ErrorCode::kConflict, card.output,
        "gives a score of {} where 0 to 1 is due: say scores = \"logits\" under [output] of "
        "the card, or another layout than \"{}\"",
        found.largest_score(), row.word);
  }
  const auto most = static_cast<size_t>(std::clamp(rules.most, 1, static_cast<int>(kMaxBoxes)));
  const double overlap = row.suppressed ? 1 : rules.overlap;
  const Suppressed stay = Suppress(found.Take(), overlap, most);
  BoxFindings result;
  result.cut_off = stay.cut_off;
  for (const BoxCandidate& c : stay.kept) {
    FoundBox box = InPicture(c, place);
    if (!(box.w > 0 && box.h > 0)) continue;
    box.label = FoundText(card.LabelOf(c.label));
    box.score = std::min(c.score, 1.0F);
    result.boxes.push_back(std::move(box));
  }
  return result;
}

ModelCard ForCurves(ModelCard card) {
  card.boxes.least_score = 0.001;
  card.boxes.most = static_cast<int>(kMaxBoxes);
  return card;
}

}  // namespace fogline
