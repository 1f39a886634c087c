#include "profile/timing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace fogline {
namespace {

constexpr std::array<std::string_view, 29> kFused{"BatchNormalization",
                                                  "Relu",
                                                  "Clip",
                                                  "LeakyRelu",
                                                  "PRelu",
                                                  "Sigmoid",
                                                  "HardSigmoid",
                                                  "HardSwish",
                                                  "Tanh",
                                                  "Elu",
                                                  "Identity",
                                                  "Dropout",
                                                  "Flatten",
                                                  "Reshape",
                                                  "Squeeze",
                                                  "Unsqueeze",
                                                  "Cast",
                                                  "Shape",
                                                  "Constant",
                                                  "Gather",
                                                  "Softplus",
                                                  "Mish",
                                                  "Swish",
                                                  "Gelu",
                                                  "Pad",
                                                  "Selu",
                                                  "QuantizeLinear",
                                                  "DequantizeLinear",
                                                  "DynamicQuantizeLinear"};

int64_t Dim(const Shape& shape, size_t i) { return i < shape.rank() ? shape[i] : 1; }

/// Which sort of convolution, read off its multiplications per output element: channels/group · k².
LayerFeatures::Index SortOfConvolution(const Shape& in, const Shape& out, double per_output) {
  const auto channels = static_cast<double>(Dim(in, 1));
  const auto maps = static_cast<double>(Dim(out, 1));
  if (per_output == channels) return LayerFeatures::kPointwise;
  const double side = std::round(std::sqrt(per_output));
  const bool square = side * side == per_output && side > 1;
  // One channel a group: k² multiplications and as many maps as channels.
  if (square && channels == maps && per_output < 4 * channels) return LayerFeatures::kDepthwise;
  if (per_output == 9 * channels && Dim(in, 2) == Dim(out, 2)) return LayerFeatures::kWinograd;
  // Pointwise in groups.
  if (!square && per_output < channels) return LayerFeatures::kPointwise;
  return LayerFeatures::kDense;
}

bool IsInteger(std::string_view op) {
  return op == "QuantizeLinear" || op == "DynamicQuantizeLinear" || op.find("QLinear") == 0 ||
         op.find("Integer") != std::string_view::npos;
}

}  // namespace

LayerFeatures FeaturesOf(const Model& model, const Node& node) {
  LayerFeatures features;
  if (std::find(kFused.begin(), kFused.end(), node.op) != kFused.end()) return features;
  double moved = 0;
  for (const auto* list : {&node.inputs, &node.outputs}) {
    for (const int a : *list) {
      moved += static_cast<double>(model.activations()[static_cast<size_t>(a)].bytes());
    }
  }
  features.amounts[LayerFeatures::kMemory] = moved / 1e6;
  features.amounts[LayerFeatures::kLayers] = 1;
  if (node.madds <= 0 || node.inputs.empty() || node.outputs.empty()) return features;
  const auto shape = [&model](int a) {
    return model.activations()[static_cast<size_t>(a)].port.shape;
  };
  const Shape in = shape(node.inputs.front());
  const Shape out = shape(node.outputs.front());
  const auto madds = static_cast<double>(node.madds);
  if (node.op == "If" || node.op == "Loop" || node.op == "Scan") {
    features.amounts[LayerFeatures::kPointwise] = madds / 1e9;  // of what sort is not looked at
  } else if (in.rank() == 4 && out.rank() == 4) {
    const auto elements = static_cast<double>(out.Elements().value_or(1));
    features.amounts[SortOfConvolution(in, out, madds / elements)] = madds / 1e9;
  } else if (node.params > 0) {
    features.amounts[LayerFeatures::kWeights] = static_cast<double>(node.weight_bytes) / 1e6;
  } else {
    features.amounts[LayerFeatures::kPointwise] = madds / 1e9;  // a product of two activations
  }
  return features;
}

void StateError(const Machine& machine, Timing& timing) {
  if (!machine.fit) return;
  timing.relative_error = machine.fit->left_out_median;
  timing.error_source = "the median error of its fit on networks left out";
}

Timing PredictTiming(const Model& model, const Machine& machine) {
  Timing timing;
  timing.machine = machine.name;
  timing.source = machine.compute.source;
  timing.threads = machine.compute.threads;
  timing.relative_speed = machine.compute.relative_speed;
  StateError(machine, timing);
  timing.layers.reserve(model.nodes().size());
  for (const Node& node : model.nodes()) {
    timing.integers_as_float |= IsInteger(node.op);
    timing.layers.push_back(machine.compute.TimeOf(FeaturesOf(model, node)));
  }
  return timing;
}

}  // namespace fogline
