// How fast the codecs are: activations a second of CPU time, one thread. The tensors are those that
// leave MobileNetV2's blocks at 160 x 160; values are synthetic with the statistics of such blocks.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "codec/codec.h"
#include "codec/fit.h"
#include "codec/quant_codec.h"

namespace fogline {
namespace {

/// Smooth maps whose scale differs from channel to channel, as activations after a projection.
Tensor Activations(const Shape& shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor tensor(DType::kF32, shape);
  const auto values = tensor.as<float>();
  const int64_t height = shape[2], width = shape[3];
  size_t at = 0;
  for (int64_t c = 0; c < shape[1]; ++c) {
    const float scale = 0.3F + static_cast<float>(c % 7) * 0.2F;
    const float level = normal(random), slope_x = normal(random), slope_y = normal(random);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        const float fx = static_cast<float>(x) / static_cast<float>(width) - 0.5F;
        const float fy = static_cast<float>(y) / static_cast<float>(height) - 0.5F;
        values[at++] = scale * (level + slope_x * fx + slope_y * fy + 0.5F * normal(random));
      }
    }
  }
  return tensor;
}

struct Setup {
  Port port;
  Tensor tensor, decoded;
  std::unique_ptr<TensorCodec> codec;
  std::vector<std::byte> code;
};

/// `level` 0 takes the codec `name`, else a quantiser whose step is `level` hundredths of the rms.
Setup Prepare(const Shape& shape, const char* name, int level) {
  Setup setup{{"x", DType::kF32, shape}, Activations(shape, 1), {}, nullptr, {}};
  if (level == 0) {
    setup.codec = *MakeCodec(*ParseCodec(name), setup.port, nullptr, 0);
  } else {
    CoefficientSample sample(*MakeLayout(shape, false));
    for (uint32_t i = 0; i < 40; ++i) sample.Add(Activations(shape, 2 + i).as<float>().data());
    QuantParams params = FitMeans(0, setup.port, sample);
    const double rms = WeightedRms(params, sample);
    params.levels[4] = FitLevel(params, sample, static_cast<float>(rms * level / 100));
    setup.codec = *MakeQuantCodec(params, 4, 0);
  }
  if (!setup.codec->Encode(setup.tensor.view(), setup.code) ||
      !setup.codec->Decode(setup.code, setup.decoded)) {
    std::abort();
  }
  return setup;
}

void Count(benchmark::State& state, const Setup& setup) {
  const auto elements = static_cast<double>(*setup.port.shape.Elements());
  state.counters["activations/s"] = benchmark::Counter(
      elements, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
  state.counters["bytes"] = static_cast<double>(setup.code.size());
}

void Encode(benchmark::State& state, const Shape& shape, const char* name, int level) {
  Setup setup = Prepare(shape, name, level);
  for (auto _ : state) {
    setup.code.clear();
    if (!setup.codec->Encode(setup.tensor.view(), setup.code)) std::abort();
    benchmark::DoNotOptimize(setup.code.data());
  }
  Count(state, setup);
}

void Decode(benchmark::State& state, const Shape& shape, const char* name, int level) {
  Setup setup = Prepare(shape, name, level);
  for (auto _ : state) {
    if (!setup.codec->Decode(setup.code, setup.decoded)) std::abort();
    benchmark::DoNotOptimize(setup.decoded.bytes().data());
  }
  Count(state, setup);
}

const Shape kLate{1, 160, 5, 5}, kMiddle{1, 64, 10, 10}, kEarly{1, 24, 40, 40};

#define FOGLINE_BOTH(label, ...)                 \
  BENCHMARK_CAPTURE(Encode, label, __VA_ARGS__); \
  BENCHMARK_CAPTURE(Decode, label, __VA_ARGS__)

FOGLINE_BOTH(quant_coarse_160x5x5, kLate, "", 150);
FOGLINE_BOTH(quant_160x5x5, kLate, "", 75);
FOGLINE_BOTH(quant_fine_160x5x5, kLate, "", 25);
FOGLINE_BOTH(quant_64x10x10, kMiddle, "", 75);
FOGLINE_BOTH(quant_24x40x40, kEarly, "", 75);
FOGLINE_BOTH(f16_160x5x5, kLate, "f16", 0);
FOGLINE_BOTH(f32_160x5x5, kLate, "f32", 0);
FOGLINE_BOTH(json_160x5x5, kLate, "json", 0);

}  // namespace
}  // namespace fogline
