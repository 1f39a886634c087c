// Finding the cuts of deep networks: the tensors that are cuts by themselves in one pass, against
// trying every tensor; the whole list; and a cut by its name.
//   build/release/bench/cuts_bench
#include <benchmark/benchmark.h>
#include <onnx/onnx_pb.h>

#include <span>
#include <string>

#include "graph/cut.h"
#include "graph/cut_space.h"
#include "graph/model.h"

namespace fogline {
namespace {

std::string Name(int tensor) { return std::string("t").append(std::to_string(tensor)); }

/// Element-wise layers in a chain, with a shortcut over three at every fourth: what a residual
/// network looks like to the search for cuts.
Model Deep(int layers) {
  onnx::ModelProto proto;
  proto.set_ir_version(7);
  proto.add_opset_import()->set_version(13);
  auto* graph = proto.mutable_graph();
  graph->add_input()->set_name("t0");
  graph->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  graph->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (int i = 1; i <= layers; ++i) {
    auto* node = graph->add_node();
    node->set_op_type(i % 4 == 0 ? "Add" : "Relu");
    node->add_input(Name(i - 1));
    if (i % 4 == 0) node->add_input(Name(i - 4));
    node->add_output(Name(i));
  }
  graph->add_output()->set_name(Name(layers));
  const ShapeSource one_type = [](std::span<const std::byte> model, const auto&) {
    onnx::ModelProto asked;
    asked.ParseFromArray(model.data(), static_cast<int>(model.size()));
    std::map<std::string, TensorType> types;
    for (const auto& output : asked.graph().output()) {
      types[output.name()] = {DType::kF32, Shape{1, 8}, true, {"", ""}};
    }
    return Result<std::map<std::string, TensorType>>(types);
  };
  const std::string text = proto.SerializeAsString();
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return Model::Parse({bytes.begin(), bytes.end()}, "deep", one_type).value();
}

void SingleCutsInOnePass(benchmark::State& state) {
  const Model model = Deep(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(SingleCuts(model));
}

void SingleCutsTensorByTensor(benchmark::State& state) {
  const Model model = Deep(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    size_t found = 0;
    for (size_t id = 0; id < model.activations().size(); ++id) {
      const int tensor = static_cast<int>(id);
      found += EdgeSide(model, {&tensor, 1}).has_value() ? 1 : 0;
    }
    benchmark::DoNotOptimize(found);
  }
}

void AllCuts(benchmark::State& state) {
  const Model model = Deep(static_cast<int>(state.range(0)));
  CutOptions anew;  // not the list that the model keeps
  anew.most_per_stretch = 4095;
  for (auto _ : state) benchmark::DoNotOptimize(ListCuts(model, anew));
}

void ACutByItsNumber(benchmark::State& state) {
  const Model model = Deep(static_cast<int>(state.range(0)));
  benchmark::DoNotOptimize(FindCut(model, "7"));  // lists the cuts, once a model
  for (auto _ : state) benchmark::DoNotOptimize(FindCut(model, "7"));
}

BENCHMARK(SingleCutsInOnePass)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(SingleCutsTensorByTensor)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(AllCuts)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(ACutByItsNumber)->Arg(500)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fogline
