// From a backbone and a folder of photographs to a classifier of their classes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/append_head.h"
#include "learn/cross_validate.h"
#include "learn/features.h"
#include "learn/threshold.h"
#include "vision/folder.h"

namespace fogline {

struct TrainOptions {
  std::filesystem::path backbone;
  std::filesystem::path images;  // one sub-folder a class
  std::filesystem::path out;     // the ONNX file to write, its card beside it
  std::string at;                // a cut or tensor; empty: the pooled features
  std::string positive;          // label worth reporting; empty: guessed, "none": every picture is
  int folds = 5;
  uint64_t seed = 1;
  int augment = -1;        // variations a picture; -1: 4, fewer where that makes very many rows
  int threads = 0;         // 0: one a core
  int side = 0;            // input size in pixels; 0: what the backbone's card or the backbone says
  bool recursive = false;  // each folder with all below it
  /// Leaves the half of the pictures alone that SampleHalvesOf would measure exits on.
  bool leave_half = false;
};

/// Told on the calling thread: "reading pictures" 17 of 118.
using TrainProgress = std::function<void(std::string_view stage, size_t done, size_t total)>;

struct TrainReport {
  std::vector<std::string> labels;
  size_t images = 0;  // that could be read
  std::vector<size_t> by_class;
  std::vector<Skipped> skipped;
  FeaturePoint features;
  int folds = 0, augment = 0;
  CrossValidation validation;  // `decided` as the threshold decides, see `score`
  Score likeliest;             // out of fold, the likeliest class decides
  /// Out of fold, the threshold decides. Each fold's threshold is chosen on the other folds, as its
  /// λ is, so that these figures are of pictures that had no say in any choice.
  Score score;
  int positive = -1;  // -1: none
  bool positive_guessed = false;
  double threshold = 0.5;  // chosen on all out-of-fold probabilities; 0.5 without a positive class
  ThresholdCurve curve;    // empty without a positive class
  std::filesystem::path model, card;
  size_t model_bytes = 0;
  std::vector<std::string> warnings;  // one line each
};

/// Whether a network made of `source` may be written to `out`. kUsage for another ending than .onnx
/// and for the source itself, kNotFound for a folder that is not there.
Status CheckOut(const std::filesystem::path& out, const std::filesystem::path& source);

/// Reads, fits, judges and writes. kNotFound and kInvalid for folders that hold no two classes of
/// two readable pictures each, kUnsupported for a backbone without pooled features (unless `at`
/// names some), kUsage for what the options get wrong.
Result<TrainReport> Train(const TrainOptions& options, const TrainProgress& progress);

/// The class that is worth reporting, judged by its name: the only one that names litter or the
/// like; of two classes else the one that does not name an absence ("clean", "no_litter", …), or
/// the last. -1 for more than two classes when no name tells.
int GuessPositive(const std::vector<std::string>& labels);

}  // namespace fogline
