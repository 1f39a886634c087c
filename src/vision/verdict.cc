#include "vision/verdict.h"

#include <algorithm>
#include <cmath>

namespace fogline {

Result<Verdict> Judge(const TensorView& output, const ModelCard& card) {
  if (card.kind == ModelCard::Kind::kOther) return Verdict{};
  const auto values = output.as<float>();
  if (output.dtype != DType::kF32 || values.empty() ||
      (!card.labels.empty() && values.size() != card.labels.size())) {
    return Fail(ErrorCode::kInvalid, card.output, "gives {} values of {}, the card has {} labels",
                values.size(), DTypeName(output.dtype), card.labels.size());
  }
  if (std::any_of(values.begin(), values.end(), [](float v) { return std::isnan(v); })) {
    return Fail(ErrorCode::kInvalid, card.output, "holds NaN");
  }
  const auto best = std::max_element(values.begin(), values.end());
  const auto probability = [&](size_t i) {
    if (card.kind == ModelCard::Kind::kProbabilities) return static_cast<double>(values[i]);
    double sum = 0;
    for (float v : values) sum += std::exp(static_cast<double>(v) - *best);
    return std::exp(static_cast<double>(values[i]) - *best) / sum;
  };
  Verdict verdict;
  verdict.label = static_cast<int>(best - values.begin());
  if (card.positive < 0) {
    verdict.score = static_cast<float>(probability(static_cast<size_t>(verdict.label)));
    return verdict;
  }
  const auto positive = static_cast<size_t>(card.positive);
  verdict.score = static_cast<float>(probability(positive));
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
