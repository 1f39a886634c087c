// From photographs to feature vectors, on every core.
#pragma once

#include <functional>
#include <vector>

#include "engine/session.h"
#include "learn/dataset.h"
#include "vision/card.h"
#include "vision/folder.h"

namespace fogline {

/// One row a picture and variation: rows of a picture follow one another, copy 0 first.
struct FeatureTable {
  size_t width = 0;             // features a row
  size_t copies = 1;            // rows a picture
  std::vector<float> values;    // samples x copies x width
  std::vector<Sample> samples;  // those that could be read, in their order
  std::vector<Skipped> skipped;

  size_t rows() const { return samples.size() * copies; }
  std::span<const float> Row(size_t sample, size_t copy = 0) const {
    return std::span(values).subspan((sample * copies + copy) * width, width);
  }
};

struct ExtractOptions {
  int augment = 0;  // variations a picture besides itself
  uint64_t seed = 1;
  int threads = 0;    // 0: one a core
  size_t output = 0;  // which of the network's outputs to read
};

/// Runs the network, whose chosen output is one vector of `width` a picture, over every sample.
/// Pictures that cannot be read are left out and listed; what the engine refuses is an error.
/// `advance` is called for every picture on the calling thread. The result depends on neither the
/// number of threads nor their order.
Result<FeatureTable> ExtractFeatures(Session& session, size_t width, const ModelCard& card,
                                     const std::vector<Sample>& samples,
                                     const ExtractOptions& options,
                                     const std::function<void()>& advance);

}  // namespace fogline
