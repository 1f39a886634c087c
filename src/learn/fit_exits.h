// Early exits for a classifier: heads that learn its own verdicts, and what believing them
// promises.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/append_head.h"
#include "learn/cross_validate.h"
#include "learn/dataset.h"
#include "learn/train.h"
#include "vision/exits.h"
#include "vision/folder.h"

namespace fogline {

/// Every picture of a folder, without a class. kNotFound and kInvalid as ListFolder.
Result<std::vector<Sample>> ListUnlabelled(const std::filesystem::path& folder, Depth depth);

struct FitExitsOptions {
  std::filesystem::path network;   // a classifier: what it says of a picture is what heads learn
  std::filesystem::path out;       // the ONNX file to write, its card beside it; not `network`
  std::vector<std::string> exits;  // cuts or tensors; {"auto"}: three, by the work before them
  SampleHalves pictures;           // their classes do not matter
  std::string measured_on;         // what the card calls them
  uint64_t seed = 1;               // of the folds
  int threads = 0;                 // 0: one a core
  int side = 0;                    // input size in pixels; 0: what the card or the model says
};

struct FittedExit {
  EarlyExit exit;  // as the card has it
  std::string alias;
  FeaturePoint features;
  double work = 0;         // share of the network's multiply-accumulates up to there
  double lambda = 0;       // penalty, chosen by cross-validation
  double temperature = 1;  // logits were divided by it, so that probabilities are right out of fold
  double agreement = 0;    // with the network's verdict, out of fold
};

struct FitExitsReport {
  std::vector<FittedExit> exits;
  size_t fitted = 0, measured = 0;  // pictures that could be read
  std::vector<Skipped> skipped;
  std::vector<std::string> warnings;  // one line each
  std::filesystem::path model, card;
  size_t model_bytes = 0;
};

/// Fits a head at each exit to the network's verdicts, calibrates it (temperature scaling, Guo et
/// al. 2017), writes the network with the heads as further outputs, runs that on the pictures that
/// no head was fitted to, and counts how they differ from one threshold to the next into its card.
/// kUnsupported for what is no classifier, kUsage for an exit where other tensors cross too,
/// kInvalid for pictures of which the network says the same throughout.
Result<FitExitsReport> FitExits(const FitExitsOptions& options, const TrainProgress& progress);

}  // namespace fogline
