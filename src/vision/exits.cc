#include "vision/exits.h"

#include <algorithm>
#include <cmath>

#include "base/binomial.h"
#include "base/text.h"
#include "vision/card.h"
#include "vision/floats.h"

namespace fogline {
namespace {

/// Of one of several exits, so that all promises hold together (Bonferroni).
double ConfidenceOf(size_t exits) {
  return 1 - (1 - kGateConfidence) / static_cast<double>(std::max<size_t>(1, exits));
}

GatePromise PromiseBy(const EarlyExit& exit, const GateStep& step, double confidence) {
  const auto pictures = static_cast<double>(std::max<int64_t>(1, exit.pictures));
  return {step.threshold, static_cast<double>(step.sure) / pictures,
          ChanceAtMost(step.differ, exit.pictures, confidence)};
}

}  // namespace

Result<GatePromise> PromiseOf(const EarlyExit& exit, double most, size_t exits) {
  const std::string asked = fmt::format("--max-disagreement {}", most);
  if (!(most > 0 && most <= kMostDisagreement)) {
    return Fail(ErrorCode::kUsage, asked, "is a share above 0, and at most {}", kMostDisagreement);
  }
  const double confidence = ConfidenceOf(exits);
  const int64_t enough = TrialsFor(most, confidence);
  if (exit.pictures < enough) {
    return Fail(ErrorCode::kConflict, asked,
                "takes {} pictures to promise, the exit at '{}' was measured on {}: fit it "
                "with more of them, half are measured on",
                enough, Printable(exit.at), exit.pictures);
  }
  // A threshold is tested only when all before it passed: one chance of error for the whole row.
  const GateStep* last = nullptr;
  for (const GateStep& step : exit.steps) {
    if (ChanceAtMost(step.differ, exit.pictures, confidence) > most) break;
    last = &step;
  }
  if (last == nullptr) {
    return Fail(ErrorCode::kConflict, asked,
                "is less than any threshold of the exit at '{}' can promise: of the {} pictures "
                "it was measured on, {} differ where it is surest",
                Printable(exit.at), exit.pictures,
                exit.steps.empty() ? exit.pictures : exit.steps.front().differ);
  }
  return PromiseBy(exit, *last, confidence);
}

Result<GatePromise> PromiseAt(const EarlyExit& exit, double threshold, size_t exits) {
  const auto below = std::ranges::find_if(
      exit.steps, [&](const GateStep& step) { return step.threshold <= threshold; });
  if (below == exit.steps.end()) {
    return Fail(ErrorCode::kUsage, fmt::format("exit={}@{}", Printable(exit.at), threshold),
                "is below every threshold that was measured, {} at least",
                exit.steps.empty() ? 1 : exit.steps.back().threshold);
  }
  // Whoever is believed from a higher threshold on says no more that differs.
  GatePromise promise = PromiseBy(exit, *below, ConfidenceOf(exits));
  promise.threshold = threshold;
  return promise;
}

std::vector<double> GateThresholds() {
  // 0.9999 … 0.5, eight to a power of ten of what is missing to 1.
  constexpr int kFirst = 32, kLast = 3, kToTen = 8;
  std::vector<double> thresholds;
  for (int i = kFirst; i >= kLast; --i) {
    const double missing = std::pow(10.0, -static_cast<double>(i) / kToTen);
    thresholds.push_back(std::round((1 - missing) * 1e6) / 1e6);
  }
  thresholds.push_back(0.5);
  return thresholds;
}

Result<ExitVerdict> JudgeExit(const TensorView& logits, const ModelCard& card) {
  std::vector<float> room;
  auto values = AsFloats(logits, room);
  if (logits.shape.rank() > 1)
    values = values.first(values.size() / static_cast<size_t>(card.batch));
  const bool labelled = card.labels.empty() || values.size() == card.labels.size();
  if (values.size() < 2 || !labelled ||
      !std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) {
    return Fail(ErrorCode::kConflict, card.output, "an exit's head gives no number for each class");
  }
  const auto best = std::ranges::max_element(values);
  double sum = 0;
  for (const float v : values) sum += std::exp(static_cast<double>(v) - static_cast<double>(*best));
  ExitVerdict verdict;
  verdict.label = static_cast<int>(best - values.begin());
  verdict.sure = 1 / sum;
  const int scored = card.positive < 0 ? verdict.label : card.positive;
  const auto logit = static_cast<double>(values[static_cast<size_t>(scored)]);
  verdict.score = static_cast<float>(std::exp(logit - static_cast<double>(*best)) / sum);
  return verdict;
}

}  // namespace fogline
