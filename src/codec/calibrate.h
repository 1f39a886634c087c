// Measures what every (cut, codec) pair costs and keeps, and finds the codecs' parameters on the
// way: the user's pictures, no training, no labels needed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/bundle_writer.h"
#include "codec/codec.h"
#include "graph/cut.h"
#include "vision/image.h"
#include "vision/network.h"

namespace fogline {

/// Fidelity that q2 … q8 stand for: root of Reference::Error, that is, how far the outputs move in
/// units of how far they differ from picture to picture. On ImageNet classifiers that is about 88,
/// 92, 94, 96, 98, 99 and 99.7 % top-1 agreement.
double TargetError(int level);

struct CalibrateOptions {
  std::vector<Cut> cuts;                         // what to calibrate
  std::vector<int> levels{2, 3, 4, 5, 6, 7, 8};  // ascending, of the quantiser
  std::vector<int> qualities{50, 75, 90, 95};    // of JPEG and WebP at the input
  /// Whether the tensors of a cut share a level's bytes by what they do to the outputs. Without,
  /// each has the same step in units of its own: to see what that is worth.
  bool allot = true;
  int threads = 1;
  /// The tensors of a cut are kept for all pictures up to this, and of some at a time beyond it:
  /// twice this much at most, since a cut's are made from those of the one before.
  int64_t kept_bytes = 256 << 20;
  /// Called often during long work, from one thread: how much of `total` is done, and at what.
  std::function<void(size_t done, size_t total, std::string_view what)> progress;
  /// Asked as often, from the calling thread: true ends it with kCancelled.
  std::function<bool()> stop;
  /// Called when a cut is finished: what the first `cuts` of them have brought so far.
  std::function<Status(size_t cuts, const BundleContents& found)> keep;
  /// What an earlier run of this calibration kept last: it goes on behind these cuts, to the same
  /// end.
  size_t cuts_done = 0;
  BundleContents found;
  /// The user's own measure of the outputs of all pictures against the whole model's.
  std::function<Result<double>(const std::vector<std::vector<Tensor>>& whole,
                               const std::vector<std::vector<Tensor>>& split)>
      metric;
};

/// The pictures to calibrate on, at the size of the network's input.
struct CalibrationSet {
  std::vector<Image> pictures;
  std::vector<int> labels;  // class of each picture; -1 unknown; empty: no labels
};

/// Two-fold cross-validation: every figure of the table comes from parameters that were found on
/// the other half of the pictures; the parameters of the bundle itself come from all of them.
/// kInvalid without pictures. Cuts whose tensors hold NaN keep only their json, f32 and f16 rows,
/// and a warning says so.
Result<BundleContents> Calibrate(const Network& network, const CalibrationSet& set,
                                 const CalibrateOptions& options);

}  // namespace fogline
