// Multinomial logistic regression with an L2 penalty.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "graph/append_head.h"

namespace fogline {

/// What a head is fitted to. Rows of weight 0 are left out.
struct LogisticRows {
  std::span<const float> values;  // rows x width
  size_t width = 0;
  std::span<const int> labels;      // by row, below `classes`
  std::span<const double> weights;  // by row, not negative
  int classes = 2;
};

/// Minimises, for every penalty λ of `lambdas` (descending: each start is the solution before),
///
///     Σ wᵢ · −log softmax(V·zᵢ + b)[yᵢ] / Σ wᵢ  +  λ/2 · ‖V‖²      over V and b, with z = (x − μ)
///     / σ
///
/// by L-BFGS (Liu & Nocedal 1989). μ and σ are each feature's weighted mean and standard deviation;
/// they are folded into the heads returned, which read plain features: W = V/σ, c = b − W·μ. A
/// feature that never changes, but for rounding, gets weight 0. For two classes this is logistic
/// regression with z₁ − z₀ as its logit and penalty λ/4. Works in double precision on one thread:
/// the same rows give the same heads. kInvalid when the weights add up to nothing.
Result<std::vector<LinearHead>> FitLogistic(const LogisticRows& rows,
                                            const std::vector<double>& lambdas);

/// Probabilities of the classes for one row of features.
std::vector<double> Probabilities(const LinearHead& head, std::span<const float> features);

/// e^zᵢ / Σ e^z, without overflow.
void Softmax(std::span<double> values);

}  // namespace fogline
