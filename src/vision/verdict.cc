#include "vision/verdict.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/probability.h"
#include "vision/boxes.h"
#include "vision/contract.h"
#include "vision/floats.h"
#include "vision/mask.h"
#include "vision/numbers.h"

namespace fogline {
namespace {

/// Probabilities of the classes from what a classifier gives.
class Probabilities {
 public:
  Probabilities(std::span<const float> values, ModelCard::Kind kind)
      : values_(values),
        best_(static_cast<size_t>(std::ranges::max_element(values) - values.begin())),
        given_(kind == ModelCard::Kind::kProbabilities) {
    if (given_) return;
    for (float v : values) sum_ += Exponent(v);
  }

  size_t best() const { return best_; }
  /// Nothing where the card is wrong about what the network gives.
  std::optional<float> Of(size_t i) const {
    if (given_) return ToProbability(values_[i]);
    return static_cast<float>(Exponent(values_[i]) / sum_);
  }

 private:
  /// Infinite logits are as large as can be.
  double Exponent(float v) const {
    const float best = values_[best_];
    return v == best ? 1.0 : std::exp(static_cast<double>(v) - static_cast<double>(best));
  }

  std::span<const float> values_;
  size_t best_;
  bool given_;
  double sum_ = 0;
};

tl::unexpected<Error> NoProbability(const ModelCard& card, float value) {
  return Fail(ErrorCode::kConflict, card.output,
              "gives {} where the card says probabilities: say kind = \"logits\" for raw scores",
              value);
}

/// The likeliest classes, as many as the card asks for.
Status AddTop(std::span<const float> values, const Probabilities& probabilities,
              const ModelCard& card, std::vector<LabelScore>& top) {
  const size_t most =
      std::min({static_cast<size_t>(std::max(card.top, 0)), values.size(), kMaxFound});
  if (most == 0) return {};
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto last = order.begin() + static_cast<ptrdiff_t>(most);
  std::partial_sort(order.begin(), last, order.end(), [&](size_t a, size_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  order.erase(last, order.end());
  for (const size_t i : order) {
    const auto score = probabilities.Of(i);
    if (!score) return NoProbability(card, values[i]);
    top.push_back({FoundText(card.LabelOf(static_cast<int>(i))), *score});
  }
  return {};
}

RawFindings ReadRaw(std::span<const Tensor> outputs, std::span<const Port> ports) {
  RawFindings found;
  for (size_t i = 0; i < std::min({outputs.size(), ports.size(), kMaxFound}); ++i) {
    found.tensors.push_back({FoundText(ports[i].name), outputs[i].shape()});
  }
  return found;
}

/// Judges a list in which each entry has a label and a number: `positive` from the threshold on,
/// else the largest of the others.
template <typename Entry>
Verdict JudgeList(const std::vector<Entry>& list, std::string Entry::*label, float Entry::*number,
                  const ModelCard& card) {
  Verdict verdict;
  verdict.name = card.LabelOf(-1);
  const std::string positive = card.positive < 0 ? std::string() : card.LabelOf(card.positive);
  const Entry *best = nullptr, *wanted = nullptr;
  for (const Entry& entry : list) {
    const Entry*& largest = card.positive >= 0 && entry.*label == positive ? wanted : best;
    if (largest == nullptr || entry.*number > largest->*number) largest = &entry;
  }
  verdict.score = wanted != nullptr ? wanted->*number : 0;
  verdict.positive = card.positive < 0 || (wanted != nullptr && verdict.score >= card.threshold);
  if (card.positive < 0 && best != nullptr) verdict.score = best->*number;
  const Entry* said = card.positive >= 0 && verdict.positive ? wanted : best;
  if (said == nullptr) return verdict;
  verdict.name = said->*label;
  const auto known = std::ranges::find(card.labels, verdict.name);
  if (known != card.labels.end()) verdict.label = static_cast<int>(known - card.labels.begin());
  return verdict;
}

/// Of the boxes that the card's rules count: the surest, and whether there are enough of them.
Verdict JudgeBoxes(const std::vector<FoundBox>& boxes, const ModelCard& card) {
  const VerdictRules& rules = card.verdict;
  std::vector<std::string> classes = rules.classes;
  if (classes.empty() && card.positive >= 0) classes = {card.LabelOf(card.positive)};
  const auto counts = [&](const FoundBox& box) {
    const PicturePoint foot{box.x + box.w / 2.0, static_cast<double>(box.y) + box.h};
    return box.score >= rules.least_score && LiesIn(rules.region, foot) &&
           (classes.empty() || std::ranges::find(classes, box.label) != classes.end());
  };
  const FoundBox *wanted = nullptr, *other = nullptr;
  int count = 0;
  for (const FoundBox& box : boxes) {
    const bool one = counts(box);
    count += one ? 1 : 0;
    const FoundBox*& surest = one ? wanted : other;
    if (surest == nullptr || box.score > surest->score) surest = &box;
  }
  Verdict verdict;
  verdict.name = card.LabelOf(-1);
  verdict.positive = count >= rules.least_count;
  verdict.score = wanted != nullptr ? wanted->score : 0;
  const FoundBox* said = wanted != nullptr ? wanted : other;
  if (said == nullptr) return verdict;
  verdict.name = said->label;
  const auto known = std::ranges::find(card.labels, verdict.name);
  if (known != card.labels.end()) verdict.label = static_cast<int>(known - card.labels.begin());
  return verdict;
}

/// The values of an output; of a network of several pictures at once the first row is this one's.
std::span<const float> ValuesOf(const TensorView& output, const ModelCard& card,
                                std::vector<float>& room) {
  const auto values = AsFloats(output, room);
  return output.shape.rank() > 1 ? values.first(values.size() / static_cast<size_t>(card.batch))
                                 : values;
}

/// The shares of the card's classes together; the verdict's label is the largest of them, where
/// there are enough, else the largest of the others.
Verdict JudgeShares(const std::vector<LabelShare>& shares, const ModelCard& card) {
  const VerdictRules& rules = card.verdict;
  std::vector<std::string> classes = rules.classes;
  if (classes.empty() && card.positive >= 0) classes = {card.LabelOf(card.positive)};
  double together = 0;
  const LabelShare *wanted = nullptr, *other = nullptr;
  for (const LabelShare& one : shares) {
    const bool counts = classes.empty() || std::ranges::find(classes, one.label) != classes.end();
    if (counts && !classes.empty()) together += one.share;
    if (counts && classes.empty()) together = std::max(together, double{one.share});
    const LabelShare*& largest = counts ? wanted : other;
    if (largest == nullptr || one.share > largest->share) largest = &one;
  }
  Verdict verdict;
  verdict.name = card.LabelOf(-1);
  verdict.score = static_cast<float>(std::min(together, 1.0));
  verdict.positive = wanted != nullptr && together >= rules.least_share;
  const LabelShare* said = verdict.positive || other == nullptr ? wanted : other;
  if (said == nullptr) return verdict;
  verdict.name = said->label;
  const auto known = std::ranges::find(card.labels, verdict.name);
  if (known != card.labels.end()) verdict.label = static_cast<int>(known - card.labels.begin());
  return verdict;
}

/// Whether the number that the card names keeps its limits. A number is no score: that stays 0.
Verdict JudgeNumbers(const std::vector<NamedNumber>& numbers, const ModelCard& card) {
  const VerdictRules& rules = card.verdict;
  Verdict verdict;
  verdict.name = card.LabelOf(-1);
  const auto one = std::ranges::find(numbers, rules.number, &NamedNumber::name);
  if (one == numbers.end()) return verdict;
  verdict.name = one->name;
  verdict.label = static_cast<int>(one - numbers.begin());
  verdict.positive =
      (!rules.least || one->value >= *rules.least) && (!rules.most || one->value <= *rules.most);
  return verdict;
}

}  // namespace

bool LiesIn(const std::vector<PicturePoint>& polygon, PicturePoint point) {
  if (polygon.empty()) return true;
  bool inside = false;
  for (size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    const PicturePoint &a = polygon[i], &b = polygon[j];
    if ((a.y > point.y) == (b.y > point.y)) continue;
    if (point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

Result<Findings> ReadOutputs(std::span<const Tensor> outputs, std::span<const Port> ports,
                             size_t judged, const ModelCard& card, const Placement& place) {
  if (card.kind == ModelCard::Kind::kBoxes && card.boxes.layout) {
    FOGLINE_TRY(BoxFindings found, ReadBoxes(outputs, ports, card, place));
    return found;
  }
  if (IsClasses(card.kind)) {
    FOGLINE_TRY(ClassFindings found, ReadClass(outputs[judged].view(), card));
    return found;
  }
  if (card.kind == ModelCard::Kind::kMask) {
    FOGLINE_TRY(MaskFindings found, ReadMask(outputs[judged], card, place));
    return found;
  }
  if (card.kind == ModelCard::Kind::kNumbers) {
    FOGLINE_TRY(NumberFindings found, ReadNumbers(outputs[judged].view(), card));
    return found;
  }
  return ReadRaw(outputs, ports);
}

Result<ClassFindings> ReadClass(const TensorView& output, const ModelCard& card) {
  std::vector<float> room;
  const auto values = ValuesOf(output, card, room);
  if (values.empty() || (!card.labels.empty() && values.size() != card.labels.size())) {
    return Fail(ErrorCode::kConflict, card.output, "gives {} values of {}, the card has {} labels",
                values.size(), DTypeName(output.dtype), card.labels.size());
  }
  // What the model gives is the model's: whoever sent the picture can do nothing about it.
  if (std::ranges::any_of(values, [](float v) { return std::isnan(v); })) {
    return Fail(ErrorCode::kConflict, card.output, "holds NaN: the model is at fault");
  }
  const Probabilities probabilities(values, card.kind);
  const size_t best = probabilities.best();
  const size_t scored = card.positive < 0 ? best : static_cast<size_t>(card.positive);
  const auto score = probabilities.Of(scored);
  if (!score) return NoProbability(card, values[scored]);
  ClassFindings found;
  found.label = static_cast<int>(best);
  found.score = *score;
  FOGLINE_CHECK(AddTop(values, probabilities, card, found.top));
  if (card.positive < 0) return found;
  if (found.score >= card.threshold) {
    found.label = card.positive;
  } else if (found.label == card.positive) {
    // The threshold overrules the largest value: name the best of the others.
    size_t other = scored == 0 ? 1 : 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i != scored && values[i] > values[other]) other = i;
    }
    found.label = static_cast<int>(other);
  }
  return found;
}

Verdict Judge(const Findings& findings, const ModelCard& card) {
  if (const auto* one = std::get_if<ClassFindings>(&findings)) {
    return {one->label, card.LabelOf(one->label), one->score,
            card.positive < 0 || one->label == card.positive};
  }
  if (const auto* objects = std::get_if<BoxFindings>(&findings)) {
    if (card.verdict.given) return JudgeBoxes(objects->boxes, card);
    return JudgeList(objects->boxes, &FoundBox::label, &FoundBox::score, card);
  }
  if (const auto* mask = std::get_if<MaskFindings>(&findings)) {
    if (card.verdict.given) return JudgeShares(mask->shares, card);
    return JudgeList(mask->shares, &LabelShare::label, &LabelShare::share, card);
  }
  if (const auto* list = std::get_if<NumberFindings>(&findings); list && card.verdict.given) {
    return JudgeNumbers(list->numbers, card);
  }
  return {-1, card.LabelOf(-1), 0, true};
}

}  // namespace fogline
