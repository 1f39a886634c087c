#include "quantize/integers.h"

#include <cmath>
#include <map>

#include "base/parallel.h"
#include "quantize/qdq.h"
#include "quantize/samples.h"
#include "quantize/scheme.h"

namespace fogline::quantize {
namespace {

constexpr float kLargestSum = 1 << 29;  // of a bias in 32 bits, with room for what is added to it

Result<IntegerWeights> Round(const Net& net, const Linear& linear, float input_scale,
                             Moments& moments, RoundingOptions options) {
  FOGLINE_TRY(const Numbers weights, net.Floats(linear.weights));
  for (const float value : weights.values) {
    if (!std::isfinite(value)) {
      return Fail(ErrorCode::kInvalid, net.where(), "weights of layer '{}' hold {}", linear.name,
                  value);
    }
  }
  std::vector<float> least(linear.outputs, 0.0F);
  if (!linear.bias.empty()) {
    const auto bias = net.Floats(linear.bias);
    for (size_t o = 0; o < linear.outputs; ++o) {
      least[o] = std::abs(bias->values[o]) / (input_scale * kLargestSum);
      if (!std::isfinite(least[o])) {
        return Fail(ErrorCode::kInvalid, net.where(), "bias of layer '{}' is {} in channel {}",
                    linear.name, bias->values[o], o);
      }
    }
  }
  if (linear.op == "MatMul") options.shift = false;
  return RoundWeights(linear, RowsOf(linear, weights), least, moments, options);
}

}  // namespace

Result<Choices> Choose(const Net& net, std::span<const Tensor> inputs, const Steps& steps,
                       int threads) {
  const Scheme scheme = MakeScheme(net, {});
  if (scheme.linears.empty()) {
    return Fail(ErrorCode::kUnsupported, net.where(),
                "has no layer with weights (Conv, Gemm, MatMul) to put into integers");
  }
  Choices choices;
  FOGLINE_TRY(choices.seen, Observe(net, scheme, inputs, threads));
  for (const auto& [name, bounds] : scheme.tensors) {
    const std::string& root = scheme.Root(name);
    choices.ranges[name] =
        ChooseRange(choices.seen.at(root), scheme.tensors.at(root), steps.ranges);
  }
  FOGLINE_TRY(auto moments, CollectMoments(net, scheme, inputs, threads));
  std::vector<IntegerWeights> rounded(scheme.linears.size());
  FOGLINE_CHECK(ParallelFor(rounded.size(), threads, [&](size_t l, int) -> Status {
    const Linear& linear = scheme.linears[l];
    const float scale = choices.ranges.at(linear.input).scale;
    FOGLINE_TRY(rounded[l], Round(net, linear, scale, moments.at(linear.name), steps.rounding));
    return {};
  }));
  for (size_t l = 0; l < rounded.size(); ++l) {
    choices.weights[scheme.linears[l].name] = std::move(rounded[l]);
  }
  return choices;
}

Beyond CountBeyond(const Net& net, const Choices& choices,
                   const std::map<std::string, Histogram>& seen) {
  const Scheme scheme = MakeScheme(net, {});
  Beyond all;
  for (const auto& [root, values] : seen) {
    const Beyond one = CountBeyond(values, scheme.tensors.at(root), choices.ranges.at(root));
    all.values += one.values;
    all.beyond += one.beyond;
  }
  return all;
}

Result<std::string> Assemble(const Net& net, const Choices& choices,
                             const std::set<std::string>& floating) {
  Net integers = net;
  FOGLINE_CHECK(
      WriteIntegers(integers, MakeScheme(net, floating), choices.ranges, choices.weights));
  return integers.Write();
}

}  // namespace fogline::quantize
