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

Result<std::string> MakeIntegers(const Net& net, std::span<const Tensor> inputs,
                                 const std::set<std::string>& floating, const Steps& steps,
                                 int threads) {
  const Scheme scheme = MakeScheme(net, floating);
  if (scheme.linears.empty()) {
    return Fail(ErrorCode::kUnsupported, net.where(),
                "has no layer with weights (Conv, Gemm, MatMul) to put into integers{}",
                floating.empty() ? "" : " but those kept in float");
  }
  FOGLINE_TRY(const auto seen, Observe(net, scheme, inputs, threads));
  std::map<std::string, Affine8> ranges;
  for (const auto& [name, histogram] : seen) {
    ranges[name] = ChooseRange(histogram, scheme.tensors.at(name), steps.ranges);
  }
  FOGLINE_TRY(auto moments, CollectMoments(net, scheme, inputs, threads));
  std::vector<IntegerWeights> rounded(scheme.linears.size());
  FOGLINE_CHECK(ParallelFor(rounded.size(), threads, [&](size_t l, int) -> Status {
    const Linear& linear = scheme.linears[l];
    const float scale = ranges.at(scheme.Root(linear.input)).scale;
    FOGLINE_TRY(rounded[l], Round(net, linear, scale, moments.at(linear.name), steps.rounding));
    return {};
  }));
  std::map<std::string, IntegerWeights> weights;
  for (size_t l = 0; l < rounded.size(); ++l) {
    weights[scheme.linears[l].name] = std::move(rounded[l]);
  }
  Net integers = net;
  FOGLINE_CHECK(WriteIntegers(integers, scheme, ranges, weights));
  return integers.Write();
}

}  // namespace fogline::quantize
