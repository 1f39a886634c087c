// A cascade measured: how sure a little network must be, so that it says what a big one would.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "learn/train.h"
#include "vision/cascade.h"
#include "vision/folder.h"

namespace fogline {

struct FitCascadeOptions {
  std::filesystem::path little, big;  // classifiers of the same classes
  std::filesystem::path images;       // without classes: the big network says what they are
  uint64_t seed = 1;                  // of the halves
  int threads = 0;                    // 0: one a core
  bool recursive = false;
};

struct FitCascadeReport {
  Cascade cascade;
  size_t fitted = 0;     // pictures that the temperature was chosen on
  double agreement = 0;  // of the little network's likeliest class, on those that were measured
  double work = 0;       // multiply-accumulates of the little network, as a share of the big one's
  std::vector<Skipped> skipped;
  std::filesystem::path file;  // what was written
};

/// Runs both networks over the pictures, chooses the little one's temperature on one half (Guo et
/// al. 2017), counts on the other how they differ from one threshold to the next, and writes that
/// beside the big network. Both must lie in one folder: kUsage where they do not, or are one file.
Result<FitCascadeReport> FitCascade(const FitCascadeOptions& options,
                                    const TrainProgress& progress);

}  // namespace fogline
