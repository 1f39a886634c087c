// What early exits and cascades have in common: they learn and are measured by the verdicts of
// another network.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "learn/features.h"
#include "learn/score.h"
#include "vision/card.h"
#include "vision/exits.h"

namespace fogline {

/// One row of a table, as a tensor.
TensorView RowView(std::span<const float> row);

/// What a network says of each picture of a table of its outputs: the class.
Result<std::vector<int>> VerdictsOf(const FeatureTable& outputs, const ModelCard& card);

/// By what logits are to be divided for the least log loss of these predictions (Guo et al. 2017):
/// golden-section search over its logarithm, in which the loss has one valley. From 0.1 to 10.
double TemperatureOf(const std::vector<Prediction>& predictions);

/// Counts what believing from each of GateThresholds() on comes to: what is said of each row,
/// beside its verdict.
Status CountGate(const FeatureTable& said, const std::vector<int>& verdicts,
                 const std::function<Result<ExitVerdict>(const TensorView&)>& judge,
                 EarlyExit& exit);

}  // namespace fogline
