// How good a detector is on pictures whose objects are known.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/hash.h"
#include "learn/dataset.h"
#include "learn/train.h"
#include "vision/average_precision.h"
#include "vision/card.h"
#include "vision/folder.h"

namespace fogline {

struct BoxEvaluateOptions {
  std::filesystem::path model;
  std::filesystem::path images;  // a folder of pictures
  std::filesystem::path truth;   // COCO's JSON, or a folder of texts: see learn/box_truth.h
  int threads = 0;               // 0: one a core
  int side = 0;                  // input size in pixels; 0: what the card or the model says
  bool recursive = false;        // with all below it; the folder of texts as well
};

/// One picture as the card's own rules report it.
struct BoxPicture {
  std::filesystem::path file;
  JudgedPicture judged;
  std::vector<int> matched;  // of judged.found: as MatchBoxes at an overlap of 0.5
  size_t hits = 0, misses = 0, alarms = 0;
};

struct BoxEvaluateReport {
  ModelCard card;
  Sha256 model_hash{};
  std::vector<BoxPicture> pictures;
  MeanPrecision precision;  // over all scores
  /// At the card's least score and an overlap of 0.5, of all pictures.
  size_t truth = 0, hits = 0, alarms = 0;
  std::vector<Skipped> skipped;  // pictures that cannot be read
  std::vector<std::string>
      warnings;  // labels, pictures and boxes that count nowhere, one line each
};

/// Runs the whole model over the folder. kUnsupported for a model that tells no boxes, kInvalid
/// where no picture of the folder is labelled.
Result<BoxEvaluateReport> EvaluateBoxes(const BoxEvaluateOptions& options,
                                        const TrainProgress& progress);

}  // namespace fogline
