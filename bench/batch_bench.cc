// Would a worker get more through by running the frames of several devices at once, and how far
// is it from what its core can do? One thread, the litter model at 160 px, whole and behind two
// cuts, 1 to 16 pictures a run. If items_per_second does not grow with the batch, batching only
// costs latency. The same of the network in integers, made here from eight pictures. GFLOP/s and
// GOP/s count two a multiply-accumulate; MultiplyAdds and IntegerMultiplyAdds, which do nothing
// else, are the floors.
#include <benchmark/benchmark.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <array>
#include <cmath>

#include "base/file.h"
#include "codec/calibration_set.h"
#include "engine/session.h"
#include "engine/shapes.h"
#include "graph/slice.h"
#include "quantize/quantize.h"

namespace fogline {
namespace {

/// GFLOP/s: in single precision; GOP/s: in 8-bit integers.
void CountFlops(benchmark::State& state, double madds_an_iteration, const char* unit = "GFLOP/s") {
  state.counters[unit] =
      benchmark::Counter(2e-9 * madds_an_iteration * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

constexpr int kRounds = 4096;
/// Twelve of the widest registers hide the latency of an addition.
using Sums = std::array<float, 12 * 16>;

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void
MultiplyAddAll(float* sums, float a, float b) {
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < Sums().size(); ++i) sums[i] = std::fma(sums[i], a, b);
  }
}

void MultiplyAdds(benchmark::State& state) {
  Sums sums{};
  for (auto _ : state) {
    MultiplyAddAll(sums.data(), 0.5F, 1.0F);
    benchmark::DoNotOptimize(sums);
  }
  CountFlops(state, static_cast<double>(sums.size()) * kRounds);
}
BENCHMARK(MultiplyAdds);

#if defined(__x86_64__)
/// Four products of a byte each and their sum, in sixteen places at once.
constexpr size_t kIntegerSums = 12;

__attribute__((target("avx512f,avx512vnni"))) void IntegerMultiplyAddAll(__m512i* sums) {
  const __m512i ones = _mm512_set1_epi32(0x01010101);
  __m512i at[kIntegerSums];  // in registers
  for (size_t i = 0; i < kIntegerSums; ++i) at[i] = sums[i];
  for (int round = 0; round < kRounds; ++round) {
    for (__m512i& sum : at) sum = _mm512_dpbusd_epi32(sum, ones, ones);
  }
  for (size_t i = 0; i < kIntegerSums; ++i) sums[i] = at[i];
}

void IntegerMultiplyAdds(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512vnni")) return state.SkipWithError("no AVX-512 VNNI here");
  __m512i sums[kIntegerSums] = {};
  for (auto _ : state) {
    IntegerMultiplyAddAll(sums);
    benchmark::DoNotOptimize(sums);
  }
  CountFlops(state, 64.0 * kIntegerSums * kRounds, "GOP/s");
}
BENCHMARK(IntegerMultiplyAdds);
#endif

const std::filesystem::path kFloat =
    std::filesystem::path(FOGLINE_SOURCE_DIR) / "models/litter.onnx";

/// The same network in integers. How long it takes does not depend on how well it was made.
Result<std::filesystem::path> MakeIntegers(const std::filesystem::path& folder) {
  FOGLINE_TRY(const Network network, ReadNetwork(kFloat));
  FOGLINE_TRY(const CalibrationSet set,
              ReadCalibrationSet(std::filesystem::path(FOGLINE_SOURCE_DIR) / "models/demo",
                                 Depth::kFlat, {}, 8, network, 1));
  QuantizeOptions options;
  options.target = QuantizeTarget::kX86;
  options.measure_time = false;
  options.min_agreement = 0;
  FOGLINE_TRY(const QuantizeReport report, Quantize(network, set, options));
  const auto file = folder / "integers.onnx";
  FOGLINE_CHECK(WriteFile(file, std::as_bytes(std::span(report.model))));
  return file;
}

const Result<std::filesystem::path>& Integers() {
  static const TempDir folder;
  static const auto made = MakeIntegers(folder.path());
  return made;
}

void Suffix(benchmark::State& state, const char* cut_name, bool integers) {
  const Result<std::filesystem::path> path =
      integers ? Integers() : Result<std::filesystem::path>(kFloat);
  if (!path) return state.SkipWithError(path.error().ToString().c_str());
  auto model = Model::Load(*path, EngineShapes());
  if (!model) return state.SkipWithError(model.error().ToString().c_str());
  const Port input = model->inputs().at(0);
  LoadOptions options;
  options.shapes[input.name] = Shape{state.range(0), 3, 160, 160};
  model = Model::Load(*path, EngineShapes(), options);
  if (!model) return state.SkipWithError(model.error().ToString().c_str());
  const auto cut = FindCut(*model, cut_name);
  if (!cut) return state.SkipWithError(cut.error().ToString().c_str());
  std::string suffix;
  if (std::string_view(cut_name) != "input") {
    auto sliced = SliceSuffix(*model, *cut);
    if (!sliced) return state.SkipWithError(sliced.error().ToString().c_str());
    suffix = *std::move(sliced);
  }
  auto session =
      suffix.empty() ? OpenSession(*path) : OpenSession(std::as_bytes(std::span(suffix)), cut_name);
  if (!session) return state.SkipWithError(session.error().ToString().c_str());
  const Port& crossing = cut->tensors.at(0);
  Tensor tensor(crossing.dtype, crossing.shape);
  const TensorView view = tensor.view();
  for (auto _ : state) {
    auto outputs = (*session)->Run({&view, 1});
    if (!outputs) return state.SkipWithError(outputs.error().ToString().c_str());
    benchmark::DoNotOptimize(outputs);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  CountFlops(state, static_cast<double>(cut->cloud_madds), integers ? "GOP/s" : "GFLOP/s");
}

BENCHMARK_CAPTURE(Suffix, whole, "input", false)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split10, "split10", false)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split13, "split13", false)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, integers_whole, "input", true)->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, integers_behind_split10, "split10", true)
    ->RangeMultiplier(2)
    ->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, integers_behind_split13, "split13", true)
    ->RangeMultiplier(2)
    ->Range(1, 16);

}  // namespace
}  // namespace fogline
