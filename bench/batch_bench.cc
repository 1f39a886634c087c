// Would a worker get more through by running the frames of several devices at once, and how far
// is it from what its core can do? One thread, the litter model at 160 px, whole and behind two
// cuts, 1 to 16 pictures a run. If items_per_second does not grow with the batch, batching only
// costs latency. GFLOP/s count two a multiply-accumulate; MultiplyAdds, which does nothing else, is
// the floor.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>

#include "engine/session.h"
#include "engine/shapes.h"
#include "graph/slice.h"

namespace fogline {
namespace {

/// In single precision.
void CountFlops(benchmark::State& state, double madds_an_iteration) {
  state.counters["GFLOP/s"] =
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

void Suffix(benchmark::State& state, const char* cut_name) {
  const auto path = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models/litter.onnx";
  auto model = Model::Load(path, EngineShapes());
  if (!model) return state.SkipWithError(model.error().ToString().c_str());
  const Port input = model->inputs().at(0);
  LoadOptions options;
  options.shapes[input.name] = Shape{state.range(0), 3, 160, 160};
  model = Model::Load(path, EngineShapes(), options);
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
      suffix.empty() ? OpenSession(path) : OpenSession(std::as_bytes(std::span(suffix)), cut_name);
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
  CountFlops(state, static_cast<double>(cut->cloud_madds));
}

BENCHMARK_CAPTURE(Suffix, whole, "input")->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split10, "split10")->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split13, "split13")->RangeMultiplier(2)->Range(1, 16);

}  // namespace
}  // namespace fogline
