// How many pictures of fixed cameras are unchanged by which threshold, and what that misses.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vision/glance.h"

namespace fogline {

/// One picture of a fixed camera: how it looks, and what it is a picture of.
struct WatchedPicture {
  Glance glance;
  std::string state;
};

/// What one threshold came to.
struct ChangeStep {
  double threshold = 0;
  size_t pictures = 0;   // the first of each camera among them
  size_t unchanged = 0;  // of these
  size_t wrong = 0;      // of these, stored with another state than the picture's own
  size_t changes = 0;    // from one state to another
  size_t missed = 0;     // of these, after which no picture of the new state went its way

  double unchanged_share() const;
  double wrong_share() const;
};

/// The thresholds that are tried, in grey levels, the lowest first.
std::span<const double> ChangeThresholds();

/// Lets pictures of one camera, in their order, through Changes at each threshold, every answer
/// coming before the next picture; adds what became of them to `steps`, one a threshold.
void Watch(std::span<const WatchedPicture> pictures, std::vector<ChangeStep>& steps);

struct ChangeStudyOptions {
  /// A folder a camera. With sub-folders, their names are the states, and pictures follow each
  /// other by their own names; else the state is what the network says.
  std::vector<std::filesystem::path> cameras;
  std::filesystem::path model;  // needed by cameras without sub-folders
  int threads = 0;              // of the engine; 0: one a core
};

struct ChangeStudy {
  std::vector<ChangeStep> steps;
  size_t skipped = 0;  // pictures that could not be read; each is named in the log
};

/// Tells `progress` of each picture. kUsage where a camera needs a model and there is none.
Result<ChangeStudy> StudyChanges(const ChangeStudyOptions& options,
                                 const std::function<void(size_t total)>& progress);

/// The highest threshold by which, and by all below it, at most the share `most` of pictures is
/// wrong; null where there is none.
const ChangeStep* HighestWithin(std::span<const ChangeStep> steps, double most);

}  // namespace fogline
