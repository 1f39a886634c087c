// Which layers of a network compute in integers, and which tensors that makes 8-bit ones.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "quantize/net.h"

namespace fogline::quantize {

/// A layer whose work is multiply-adds with constant weights: Conv, Gemm or MatMul.
struct Linear {
  int node = -1;
  std::string name, op;
  std::string input, weights, bias;  // tensors; bias empty where there is none
  size_t outputs = 0;                // channels that it makes
  size_t groups = 1;
  size_t inputs = 0;        // weights an output channel: of a Conv in/group · kernel
  size_t taps = 1;          // of a Conv: elements of its kernel
  bool transposed = false;  // weights lie as inputs × outputs

  /// Depthwise convolutions have a kernel of their own in every engine.
  bool depthwise() const { return groups > 1 && inputs == taps; }
};

/// What alone is made of a tensor, so that its range may be chosen by what that loses.
enum class Behind { kItself, kSigmoid, kSilu };  // x, σ(x), x · σ(x)

struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  Behind behind = Behind::kItself;
};

struct Scheme {
  std::vector<Linear> linears;  // in the network's order
  std::set<int> integer;        // nodes that compute in integers
  std::map<int, int> absorbed;  // by node: the activation behind it that its range stands for
  std::map<std::string, std::string> alike;  // tensors that have another's scale, by name
  std::map<std::string, Bounds> tensors;     // that are 8-bit ones, and what an activation leaves

  /// The tensor whose scale `tensor` has.
  const std::string& Root(const std::string& tensor) const;
  /// The tensor that leaves a node, behind what it absorbed.
  const std::string& OutputOf(const Net& net, int node) const;
};

/// Weighted layers compute in integers but for those named in `floating`; so do additions,
/// products, concatenations, poolings and reshapes between them. What comes behind the last
/// weighted layer stays float: it is cheap there, and boxes and scores in one tensor cannot share a
/// scale.
Scheme MakeScheme(const Net& net, const std::set<std::string>& floating);

}  // namespace fogline::quantize
