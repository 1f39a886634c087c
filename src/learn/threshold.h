// From which probability on a picture counts as positive.
#pragma once

#include <cstddef>
#include <vector>

#include "learn/score.h"

namespace fogline {

/// What deciding at one threshold gives.
struct ThresholdPoint {
  double threshold = 0;
  size_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;

  double recall() const;               // of the positives, found; 1 when there are none
  double false_positive_rate() const;  // of the others, reported all the same; 0 for none
  double precision() const;            // of those reported, right; 1 when nothing is reported
  double accuracy() const;
  double balanced_accuracy() const;  // mean of recall and 1 − false positive rate
};

struct ThresholdCurve {
  std::vector<ThresholdPoint> points;  // thresholds 0, 0.01 … 1
  double auc = 0;  // area under the ROC curve: how often a positive scores above another picture
  double average_precision = 0;  // Σ (recallₙ − recallₙ₋₁) · precisionₙ over descending scores
};

ThresholdPoint CountAt(const std::vector<Prediction>& predictions, int positive, double threshold);
ThresholdCurve CurveOf(const std::vector<Prediction>& predictions, int positive);

/// The threshold for the best balanced accuracy, chosen so that it does not hang on single
/// pictures. Where probabilities are right, that threshold is the positives' share of the pictures;
/// so it is the one nearest to that share whose balanced accuracy is within one standard error of
/// the best (the one-standard-error rule of Breiman et al. 1984). Balanced accuracy is smoothed:
/// each picture's log-odds count as a logistic distribution of scale 1/2 around them. In steps of
/// 0.01 from 0.02 to 0.98; 0.5 without pictures of both kinds.
double ChooseThreshold(const std::vector<Prediction>& predictions, int positive);

}  // namespace fogline
