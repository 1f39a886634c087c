#include "vision/verdict.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/probability.h"
#include "vision/contract.h"
#include "vision/floats.h"

namespace fogline {

Result<Verdict> Judge(const TensorView& output, const ModelCard& card) {
  if (!IsClasses(card.kind)) return Verdict{};
  std::vector<float> room;
  auto values = AsFloats(output, room);
  // Of a network of several pictures at once the first row is this one's.
  if (output.shape.rank() > 1)
    values = values.first(values.size() / static_cast<size_t>(card.batch));
  if (values.empty() || (!card.labels.empty() && values.size() != card.labels.size())) {
    return Fail(ErrorCode::kConflict, card.output, "gives {} values of {}, the card has {} labels",
                values.size(), DTypeName(output.dtype), card.labels.size());
  }
  // What the model gives is the model's: whoever sent the picture can do nothing about it.
  if (std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); })) {
    return Fail(ErrorCode::kConflict, card.output, "holds NaN: the model is at fault");
  }
  const auto best = std::max_element(values.begin(), values.end());
  const auto probability = [&](size_t i) -> std::optional<float> {
    if (card.kind == ModelCard::Kind::kProbabilities) return ToProbability(values[i]);
    // Infinite logits are as large as can be.
    const auto exponent = [&](float v) {
      return v == *best ? 1.0 : std::exp(static_cast<double>(v) - static_cast<double>(*best));
    };
    double sum = 0;
    for (float v : values) sum += exponent(v);
    return static_cast<float>(exponent(values[i]) / sum);
  };
  const auto labelled =
      static_cast<size_t>(card.positive < 0 ? best - values.begin() : card.positive);
  const auto score = probability(labelled);
  if (!score) {
    return Fail(ErrorCode::kConflict, card.output,
                "gives {} where the card says probabilities: say kind = \"logits\" for raw scores",
                values[labelled]);
  }
  Verdict verdict;
  verdict.label = static_cast<int>(best - values.begin());
  verdict.score = *score;
  if (card.positive < 0) return verdict;
  const auto positive = static_cast<size_t>(card.positive);
  verdict.positive = verdict.score >= card.threshold;
  if (verdict.positive) {
    verdict.label = card.positive;
  } else if (verdict.label == card.positive) {
    // The threshold overrules the largest value: name the best of the others.
    size_t other = positive == 0 ? 1 : 0;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i != positive && values[i] > values[other]) other = i;
    }
    verdict.label = static_cast<int>(other);
  }
  return verdict;
}

}  // namespace fogline
