// A model cut at one tensor and given another end: a classifier of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/model.h"

namespace fogline {

/// logits = weights · features + bias.
struct LinearHead {
  int64_t classes = 0;
  int64_t features = 0;
  std::vector<float> weights;  // classes x features, row by row
  std::vector<float> bias;     // classes
};

/// How a tensor of a model becomes one vector of features a picture.
struct FeaturePoint {
  std::string tensor;
  Shape shape;           // as the model is loaded
  bool average = false;  // a map of features: averaged over its height and width
  int64_t width = 0;     // features a picture
};

/// Reads the tensor's shape: NxF, NxFx1x1 and Nx1x1xF are vectors already, NxFxHxW is averaged.
/// kNotFound for no such tensor, kUsage for the model's input and for what is no floating-point
/// vector or map.
Result<FeaturePoint> FeaturesAt(const Model& model, const std::string& tensor);

/// Where a model's classifier reads its features: the tensor averaged over space (by
/// GlobalAveragePool, AveragePool or ReduceMean) that no map of features depends on any more, the
/// last one if there are several. kUnsupported when there is none, saying which tensors could serve
/// instead.
Result<FeaturePoint> PooledFeatures(const Model& model);

/// A head on inner features, whose logits are one more output of the network.
struct ExitHead {
  FeaturePoint point;
  LinearHead head;
};

/// A network with heads on its inner features.
struct WithExits {
  std::string bytes;                 // serialised ONNX
  std::vector<std::string> outputs;  // of the heads, NxC in float32: behind the network's own
};

/// Serialised ONNX of the layers that the features need; gives one output of NxF, float32, named
/// "features". Operator sets, names and open dimensions stay as in the whole.
Result<std::string> WriteFeatures(const Model& model, const FeaturePoint& point);

/// The same with the head behind it; gives one output of NxC, float32, named "logits". kInvalid
/// when the head is not as wide as the features.
Result<std::string> AppendHead(const Model& model, const FeaturePoint& point,
                               const LinearHead& head);

/// The whole network, as it is, and behind its outputs one for each head, in their order. kInvalid
/// when a head is not as wide as its features.
Result<WithExits> AppendExits(const Model& model, std::span<const ExitHead> exits);

}  // namespace fogline
