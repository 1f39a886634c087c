// What the weighted layers of a network read: how their inputs vary together.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tensor.h"
#include "quantize/net.h"
#include "quantize/scheme.h"

namespace fogline::quantize {

/// Means and covariances of what the weights of one layer are multiplied with, group by group.
/// Covariances between inputs of different blocks of `block` are left out, which bounds time and
/// memory for wide layers.
struct Moments {
  size_t inputs = 0, groups = 1, block = 1;
  std::vector<float> mean;        // groups × inputs
  std::vector<float> covariance;  // groups × blocks × block × block, the last block padded
  size_t blocks() const { return (inputs + block - 1) / block; }
  float* BlockOf(size_t group, size_t b) {
    return covariance.data() + (group * blocks() + b) * block * block;
  }
};

/// By layer (Linear::name), from some places of every picture, the same in every run.
Result<std::map<std::string, Moments>> CollectMoments(const Net& net, const Scheme& scheme,
                                                      std::span<const Tensor> inputs, int threads);

}  // namespace fogline::quantize
