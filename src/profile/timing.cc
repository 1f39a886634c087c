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

bool IsFused(std::string_view op) { return std::ranges::find(kFused, op) != kFused.end(); }

/// Engines move a pair past these; past a Relu or a Clip where the range cuts the same.
bool IsPassed(std::string_view op) {
  static constexpr std::array<std::string_view, 7> kPassed{
      "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Relu", "Clip"};
  return std::ranges::find(kPassed, op) != kPassed.end();
}
constexpr int kMostPassed = 2;

/// Whether a QuantizeLinear reads it.
bool IsQuantised(const Model& model, int activation, int passed = 0) {
  const auto& readers = model.activations()[static_cast<size_t>(activation)].readers;
  return std::ranges::any_of(readers, [&](int reader) {
    const Node& node = model.nodes()[static_cast<size_t>(reader)];
    if (node.op == "QuantizeLinear") return true;
    return passed < kMostPassed && IsPassed(node.op) && !node.outputs.empty() &&
           IsQuantised(model, node.outputs.front(), passed + 1);
  });
}

/// Whether a DequantizeLinear made it.
bool IsDequantised(const Model& model, int activation, int passed = 0) {
  const int producer = model.activations()[static_cast<size_t>(activation)].producer;
  if (producer < 0) return false;
  const Node& node = model.nodes()[static_cast<size_t>(producer)];
  if (node.op == "DequantizeLinear") return true;
  return passed < kMostPassed && IsPassed(node.op) && !node.inputs.empty() &&
         IsDequantised(model, node.inputs.front(), passed + 1);
}

bool InIntegers(const Model& model, const Node& node) {
  if (node.op.find("QLinear") != node.op.npos || node.op.find("Integer") != node.op.npos) {
    return true;
  }
  const auto reads = [&](int a) { return IsDequantised(model, a); };
  const auto makes = [&](int a) { return IsQuantised(model, a); };
  if (!std::ranges::any_of(node.inputs, reads)) return false;
  if (node.params > 0) return node.weight_bytes < 2 * node.params;
  return std::ranges::any_of(node.outputs, makes);
}

/// As float32, where `integers`.
double BytesOf(const Activation& activation, bool integers) {
  if (!integers) return static_cast<double>(activation.bytes());
  return 4.0 * static_cast<double>(activation.port.shape.Elements().value_or(0));
}

}  // namespace

LayerFeatures FeaturesOf(const Model& model, const Node& node) {
  LayerFeatures features;
  if (IsFused(node.op)) return features;
  features.integers = InIntegers(model, node);
  double moved = 0;
  for (const auto* list : {&node.inputs, &node.outputs}) {
    for (const int a : *list) {
      moved += BytesOf(model.activations()[static_cast<size_t>(a)], features.integers);
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
    const int64_t bytes = features.integers ? 4 * node.params : node.weight_bytes;
    features.amounts[LayerFeatures::kWeights] = static_cast<double>(bytes) / 1e6;
  } else {
    features.amounts[LayerFeatures::kPointwise] = madds / 1e9;  // a product of two activations
  }
  return features;
}

Timing PredictTiming(const Model& model, const Machine& machine) {
  Timing timing;
  timing.machine = machine.name;
  timing.source = machine.compute.source;
  timing.threads = machine.compute.threads;
  timing.relative_speed = machine.compute.relative_speed;
  timing.layers.reserve(model.nodes().size());
  const auto& factors = machine.compute.integers;
  Milliseconds whole, integers;
  for (const Node& node : model.nodes()) {
    const LayerFeatures features = FeaturesOf(model, node);
    timing.layers.push_back(machine.compute.TimeOf(features));
    whole += timing.layers.back();
    if (!features.integers) continue;
    integers += timing.layers.back();
    timing.integers_as_float |= !factors;
  }
  if (machine.fit) {
    timing.relative_error = machine.fit->left_out_median;
    timing.error_source = "the median error of its fit on networks left out";
  }
  if (factors && integers > Milliseconds(0)) {
    timing.integers_error = factors->error.left_out_median * (integers / whole);
    timing.error_source += ", with that of its factors for integers";
  }
  return timing;
}

}  // namespace fogline
