// How long boxes take from a detector's outputs to findings: decoding, suppression, places in the
// picture; microseconds of one core. Outputs are synthetic: 8,400 candidates of 80 classes, of
// which so many in a thousand are sure enough to be looked at.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>

#include "vision/box_layout.h"
#include "vision/boxes.h"

namespace fogline {
namespace {

constexpr int64_t kCandidates = 8400, kClasses = 80;
constexpr int kSide = 640;

struct Setup {
  ModelCard card;
  std::vector<Tensor> outputs;
  std::vector<Port> ports;
};

/// Around so many objects, as networks do it: several candidates for each, shifted a little.
Setup Prepare(BoxLayout layout, int sure_per_thousand) {
  Setup setup;
  setup.card.kind = ModelCard::Kind::kBoxes;
  setup.card.width = setup.card.height = kSide;
  setup.card.boxes.layout = layout;
  const bool columns = layout == BoxLayout::kYolov8;
  const int64_t first = columns ? 4 : 5;
  const Shape shape =
      columns ? Shape{1, first + kClasses, kCandidates} : Shape{1, kCandidates, first + kClasses};
  Tensor tensor(DType::kF32, shape);
  const auto values = tensor.as<float>();
  std::mt19937 random(9);
  const auto part = [&] { return std::uniform_real_distribution<float>(0, 1)(random); };
  for (int64_t c = 0; c < kCandidates; ++c) {
    const auto put = [&](int64_t n, float v) {
      values[static_cast<size_t>(columns ? n * kCandidates + c : c * (first + kClasses) + n)] = v;
    };
    const bool sure = static_cast<int>(random() % 1000) < sure_per_thousand;
    for (int64_t n = 0; n < first + kClasses; ++n) put(n, 0.02F * part());
    const bool cells = layout == BoxLayout::kYolox;  // places in cells, sizes as logarithms
    put(0, cells ? part() : kSide * part());
    put(1, cells ? part() : kSide * part());
    put(2, cells ? 1 + part() : 20 + 100 * part());
    put(3, cells ? 1 + part() : 20 + 100 * part());
    if (!columns) put(4, sure ? 0.9F : 0.02F * part());
    if (sure) put(first + static_cast<int64_t>(random() % 8), 0.4F + 0.6F * part());
  }
  setup.outputs.push_back(tensor);
  setup.ports.push_back({"y", DType::kF32, shape});
  return setup;
}

void Boxes(benchmark::State& state, BoxLayout layout) {
  const Setup setup = Prepare(layout, static_cast<int>(state.range(0)));
  size_t boxes = 0;
  for (auto _ : state) {
    const auto read = ReadBoxes(setup.outputs, setup.ports, setup.card, {});
    if (!read) std::abort();
    boxes = read->boxes.size();
    benchmark::DoNotOptimize(boxes);
  }
  state.counters["boxes"] = static_cast<double>(boxes);
}
BENCHMARK_CAPTURE(Boxes, yolov8, BoxLayout::kYolov8)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Boxes, yolov5, BoxLayout::kYolov5)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Boxes, yolox, BoxLayout::kYolox)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace fogline
