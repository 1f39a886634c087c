// How good a model is on labelled photographs that it was not made from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/hash.h"
#include "learn/score.h"
#include "learn/threshold.h"
#include "learn/train.h"
#include "vision/card.h"
#include "vision/folder.h"

namespace fogline {

struct EvaluateOptions {
  std::filesystem::path model;
  std::filesystem::path images;  // one sub-folder a class
  int threads = 0;               // 0: one a core
  int side = 0;                  // input size in pixels; 0: what the card or the model says
  bool recursive = false;        // each folder with all below it
};

/// Pictures whose probability falls into one tenth of the scale.
struct CalibrationBin {
  size_t images = 0;
  double said = 0;  // mean probability
  double was = 0;   // share for which it was true
};

struct EvaluateReport {
  ModelCard card;
  Sha256 model_hash{};
  size_t model_classes = 0;  // that the model tells apart
  /// Those with pictures, and those that pictures were taken for, in the model's order. Labels of
  /// predictions count in this list, and their probabilities are of these classes only.
  std::vector<std::string> labels;
  size_t images = 0;
  std::vector<Skipped> skipped;
  std::vector<Prediction> predictions;
  Score score;
  int positive = -1;     // in `labels`; -1: the card names none, or no picture has to do with it
  ThresholdCurve curve;  // empty without a positive class
  double best_threshold = 0.5;  // ChooseThreshold() on these pictures
  /// Ten bins of the positive class' probability, or of the decided class' where there is none.
  std::vector<CalibrationBin> calibration;
  double calibration_error = 0;  // mean |said − was|, weighted by pictures (Guo et al. 2017)
  std::vector<std::string> warnings;
};

/// Runs the whole model over the folder. Sub-folders are named as the card's labels (any case), or
/// by class number where the card has none; one that matches no class is kInvalid with the nearest
/// names. kUnsupported for a model that is no classifier.
Result<EvaluateReport> Evaluate(const EvaluateOptions& options, const TrainProgress& progress);

}  // namespace fogline
