#include "learn/gate_counts.h"

#include <algorithm>
#include <cmath>

#include "learn/logistic.h"
#include "vision/verdict.h"

namespace fogline {

TensorView RowView(std::span<const float> row) {
  return {DType::kF32, Shape{static_cast<int64_t>(row.size())}, std::as_bytes(row)};
}

Result<std::vector<int>> VerdictsOf(const FeatureTable& outputs, const ModelCard& card) {
  std::vector<int> labels;
  for (size_t i = 0; i < outputs.samples.size(); ++i) {
    FOGLINE_TRY(const ClassFindings found, ReadClass(RowView(outputs.Row(i)), card));
    labels.push_back(found.label);
  }
  return labels;
}

double TemperatureOf(const std::vector<Prediction>& predictions) {
  const auto loss = [&](double log_temperature) {
    const double by = std::exp(-log_temperature);
    double sum = 0;
    for (const Prediction& p : predictions) {
      std::vector<double> logits;
      for (const double q : p.probabilities) logits.push_back(by * std::log(std::max(q, 1e-300)));
      Softmax(logits);
      sum -= std::log(std::max(logits[static_cast<size_t>(p.sample.label)], 1e-300));
    }
    return sum;
  };
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(0.1), high = std::log(10.0);
  for (int i = 0; i < 40; ++i) {
    const double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
    (loss(a) < loss(b) ? high : low) = loss(a) < loss(b) ? b : a;
  }
  return std::exp((low + high) / 2);
}

Status CountGate(const FeatureTable& said, const std::vector<int>& verdicts,
                 const std::function<Result<ExitVerdict>(const TensorView&)>& judge,
                 EarlyExit& exit) {
  exit.pictures = static_cast<int64_t>(verdicts.size());
  for (const double threshold : GateThresholds()) exit.steps.push_back({threshold, 0, 0});
  for (size_t i = 0; i < verdicts.size(); ++i) {
    FOGLINE_TRY(const ExitVerdict one, judge(RowView(said.Row(i))));
    for (GateStep& step : exit.steps) {
      if (one.sure < step.threshold) continue;
      ++step.sure;
      step.differ += one.label != verdicts[i];
    }
  }
  return {};
}

}  // namespace fogline
