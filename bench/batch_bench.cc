// Would a worker get more through by running the frames of several devices at
// once? One thread, the litter model, whole and behind two cuts, with 1 to 16
// pictures a run. Look at items_per_second: if it does not grow with the batch,
// batching only costs latency.
#include <benchmark/benchmark.h>

#include "engine/session.h"
#include "engine/shapes.h"
#include "graph/slice.h"

namespace fogline {
namespace {

void Suffix(benchmark::State& state, const char* cut_name) {
  const auto path = std::filesystem::path(FOGLINE_SOURCE_DIR) / "models/litter.onnx";
  auto model = Model::Load(path, EngineShapes());
  if (!model) return state.SkipWithError(model.error().ToString().c_str());
  const Port input = model->inputs().at(0);
  std::vector<int64_t> dims(input.shape.begin(), input.shape.end());
  dims[0] = state.range(0);
  LoadOptions options;
  options.shapes[input.name] = Shape(dims);
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
}

BENCHMARK_CAPTURE(Suffix, whole, "input")->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split10, "split10")->RangeMultiplier(2)->Range(1, 16);
BENCHMARK_CAPTURE(Suffix, behind_split13, "split13")->RangeMultiplier(2)->Range(1, 16);

}  // namespace
}  // namespace fogline
