// How well a head does on pictures that it was not fitted to, and how strong its penalty must be.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "learn/features.h"
#include "learn/logistic.h"
#include "learn/score.h"

namespace fogline {

/// The penalties tried: 10, 10^0.5 … 10^-4, descending.
std::vector<double> DefaultLambdas();

/// A fold for every sample: each class is shuffled by `seed` and dealt out in turn, so that every
/// fold has its share of every class.
std::vector<int> StratifiedFolds(const std::vector<Sample>& samples, size_t classes, int folds,
                                 uint64_t seed);

/// Pictures in two halves that have none in common.
struct SampleHalves {
  std::vector<Sample> fit;      // heads are fitted to these
  std::vector<Sample> measure;  // and what they promise is measured on these
};
/// Each class is shuffled by `seed` and dealt out in turn, so that both halves have their share.
SampleHalves SampleHalvesOf(const std::vector<Sample>& samples, size_t classes, uint64_t seed);

/// Rows of a table with a weight by sample: all copies of a picture share its weight. Keeps the
/// labels and weights that its LogisticRows points to.
class WeightedRows {
 public:
  /// `left_out` is a fold whose pictures get weight 0; -1 leaves out none.
  WeightedRows(const FeatureTable& table, size_t classes, const std::vector<int>& folds,
               int left_out);
  LogisticRows rows() const;

 private:
  const FeatureTable& table_;
  int classes_;
  std::vector<int> labels_;
  std::vector<double> weights_;
};

struct CrossValidation {
  std::vector<int> folds;        // by sample
  std::vector<double> lambdas;   // as given
  std::vector<double> log_loss;  // by λ, over all pictures out of fold
  std::vector<double> accuracy;  // by λ, of the likeliest class
  size_t best = 0;               // the λ of the smallest log loss
  /// Of heads that saw neither the picture nor, when λ was chosen, its fold: for each fold the
  /// λ is the best on the other folds. This keeps the choice of λ from flattering the result.
  std::vector<Prediction> predictions;  // by sample; `decided` is the likeliest class
};

/// Augmented copies of a picture stay in its fold: heads are fitted on all copies and judged on the
/// picture itself. Folds run on `threads` threads (0: one a core) with the same result.
Result<CrossValidation> CrossValidate(const FeatureTable& table, size_t classes, int folds,
                                      uint64_t seed, const std::vector<double>& lambdas,
                                      int threads, const std::function<void()>& advance);

}  // namespace fogline
