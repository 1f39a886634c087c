// Which parts of a tensor the rest of the network listens to.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "codec/quant_params.h"
#include "codec/reference.h"
#include "codec/segment.h"

namespace fogline {

/// At most `most` of the pictures, spread evenly.
std::vector<size_t> Spread(std::span<const size_t> pictures, size_t most);

struct SensitivityOptions {
  /// ParallelFor, or one that tells the progress as well.
  std::function<Status(size_t count, const std::function<Status(size_t, int)>& work)> for_each;
  size_t pictures = 8;      // at most
  size_t channel_runs = 0;  // at most, of what lies behind the cut, for one tensor's channels
};

/// Those of `pictures` that FitWeights asks the tensors of.
std::vector<size_t> ProbedPictures(std::span<const size_t> pictures,
                                   const SensitivityOptions& options,
                                   std::span<QuantParams* const> params);

/// Sets the channel and band weights of `params`, one a tensor of the cut. Noise is put into one
/// band, or one channel, of one tensor at a time and the suffix is run: the gain is how much the
/// outputs move (Reference::Error) per energy put in. Weights are the fourth root of gains over
/// their mean: half of what a linear suffix would ask for, since it is not linear in noise as large
/// as a quantiser's. `rest` is what lies behind the cut, `pictures` are those of one half;
/// tensors(i) gives the cut's tensors. Entries of `params` that are null belong to tensors that are
/// not quantised.
Status FitWeights(const Segment& rest, const Reference& reference, std::span<const size_t> pictures,
                  const std::function<Result<std::vector<Tensor>>(size_t)>& tensors,
                  const SensitivityOptions& options, std::span<QuantParams* const> params,
                  std::span<const double> rms);

}  // namespace fogline
