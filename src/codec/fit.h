// Finds a quantiser's parameters from samples of a tensor: closed forms and counting, no training.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/quant_params.h"

namespace fogline {

/// Coefficients of sampled tensors, as TileTransform leaves them.
class CoefficientSample {
 public:
  explicit CoefficientSample(const Layout& layout);

  /// Adds every tile of a tensor. False, adding nothing, when it holds NaN or infinity.
  bool Add(const float* tensor);
  /// Adds what another sample of the same layout holds.
  void Append(const CoefficientSample& other);

  const Layout& layout() const { return layout_; }
  int64_t tensors() const { return tensors_; }
  /// Tiles of all tensors; the coefficients of tile t in group g are [k][lane] at Tile(t, g).
  int64_t tiles() const { return tensors_ * layout_.tiles(); }
  const float* Tile(int64_t tile, int group) const;

 private:
  Layout layout_;
  int64_t tensors_ = 0;
  std::vector<float> values_;
};

/// Parameters without levels: means of the lowest frequencies, rounded as the bundle stores them,
/// and weights of 1. A sample without tensors gives means of 0.
QuantParams FitMeans(uint64_t cut_id, const Port& tensor, const CoefficientSample& sample);

/// Root mean square of the weighted, centred coefficients: the unit in which steps are chosen.
double WeightedRms(const QuantParams& params, const CoefficientSample& sample);

/// Probability tables, thresholds and reconstruction points for `step`. Thresholds minimise
/// distortion + kLambda · bits (rate-distortion optimised quantisation; with static tables that is
/// one threshold a table). Channels and bands of like statistics share a table: k-means under code
/// length. Any sample will do, even none: every table can code every value.
QuantLevel FitLevel(const QuantParams& params, const CoefficientSample& sample, float step);

}  // namespace fogline
