#include "profile/timing.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "engine/shapes.h"
#include "graph/test_model.h"
#include "profile/library.h"

namespace fogline {
namespace {

const std::filesystem::path kModels = std::filesystem::path(FOGLINE_SHARED_DATA) / "models";

double TotalOf(const Timing& timing) {
  return std::accumulate(timing.layers.begin(), timing.layers.end(), Milliseconds(0)).value();
}

// The features read off an ONNX file are those that the fit was made with: the benchmark's own
// networks come out near the benchmark's times.
TEST(Timing, PredictsTheBenchmarksNetworksFromTheirGraphs) {
  struct Case {
    const char *model, *machine;
    double ms;  // ncnn's benchmark
  };
  for (const Case& c : {Case{"mobilenet_v2_1.0_224.onnx", "raspberry-pi-3b-plus", 111.7},
                        Case{"mobilenet_v2_1.0_224.onnx", "raspberry-pi-4", 61.9},
                        Case{"mobilenet_v2_1.0_224.onnx", "t2.micro", 10.8},
                        Case{"dag/light_resnet50.onnx", "raspberry-pi-4", 262.8},
                        Case{"dag/light_resnet50.onnx", "t2.micro", 86.2},
                        Case{"dag/light_inception_v1.onnx", "raspberry-pi-4", 114.4}}) {
    if (!std::filesystem::exists(kModels / c.model)) GTEST_SKIP() << "no shared data";
    const auto model = Model::Load(kModels / c.model, EngineShapes());
    ASSERT_TRUE(model) << model.error().ToString();
    const auto machine = FindMachine(c.machine, "--edge");
    ASSERT_TRUE(machine);
    EXPECT_NEAR(TotalOf(PredictTiming(*model, *machine)) / c.ms, 1, 0.35)
        << c.model << " on " << c.machine;
  }
}

TEST(Timing, SortsMobileNetsConvolutions) {
  const auto path = kModels / "mobilenet_v2_1.0_224.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared data";
  const auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model);
  LayerFeatures sum;
  for (const Node& node : model->nodes()) {
    const LayerFeatures one = FeaturesOf(*model, node);
    for (size_t f = 0; f < sum.amounts.size(); ++f) sum.amounts[f] += one.amounts[f];
  }
  // The figures of profiles/fit/networks.py.
  EXPECT_NEAR(sum.amounts[LayerFeatures::kDense], 0.011, 0.0005);
  EXPECT_NEAR(sum.amounts[LayerFeatures::kPointwise], 0.268, 0.005);
  EXPECT_NEAR(sum.amounts[LayerFeatures::kDepthwise], 0.021, 0.001);
  EXPECT_NEAR(sum.amounts[LayerFeatures::kWeights], 5.12, 0.05);
  EXPECT_EQ(sum.amounts[LayerFeatures::kWinograd], 0);
}

/// Three convolutions and a Gemm in float, or each between QuantizeLinear/DequantizeLinear pairs.
Model Convolutions(bool integers) {
  test::TestModel m;
  m.Input("x", {"1", "16", "32", "32"});
  m.Weight("scale", {}, 0.5F);
  auto* zero = m.graph().add_initializer();
  zero->set_name("zero");
  zero->set_data_type(onnx::TensorProto::INT8);
  zero->set_raw_data(std::string(1, '\0'));
  const auto pair = [&](const std::string& from, const std::string& to) {
    m.Node("QuantizeLinear", {from, "scale", "zero"}, {to + "_q"});
    m.Node("DequantizeLinear", {to + "_q", "scale", "zero"}, {to});
  };
  std::string at = "x";
  for (const std::string layer : {"a", "b", "c"}) {
    auto* weight = m.graph().add_initializer();
    weight->set_name(layer + (integers ? "_wq" : "_w"));
    weight->set_data_type(integers ? onnx::TensorProto::INT8 : onnx::TensorProto::FLOAT);
    for (const int64_t d : {16, 16, 3, 3}) weight->add_dims(d);
    weight->set_raw_data(std::string(2304 * (integers ? 1 : 4), '\1'));
    if (integers) {
      m.Node("DequantizeLinear", {layer + "_wq", "scale", "zero"}, {layer + "_w"});
      pair(at, layer + "_in");
      at = layer + "_in";
    }
    test::SetInts(m.Node("Conv", {at, layer + "_w"}, {layer}), "pads", {1, 1, 1, 1});
    at = layer;
  }
  if (integers) {
    pair(at, "last");
    at = "last";
  }
  m.Node("Flatten", {at}, {"flat"});
  auto* weight = m.graph().add_initializer();
  weight->set_name(integers ? "fc_q" : "fc");
  weight->set_data_type(integers ? onnx::TensorProto::INT8 : onnx::TensorProto::FLOAT);
  for (const int64_t d : {16 * 32 * 32, 10}) weight->add_dims(d);
  weight->set_raw_data(std::string(163840 * (integers ? 1 : 4), '\1'));
  if (integers) m.Node("DequantizeLinear", {"fc_q", "scale", "zero"}, {"fc"});
  m.Node("Gemm", {"flat", "fc"}, {"y"});
  m.Output("y");
  return Model::Parse(m.Bytes(), "convolutions", EngineShapes()).value();
}

// Engines fuse the pairs into the layer between them, so that the amounts are those of the float
// network, and what integers make of them is the machine's factor a feature.
TEST(Timing, ALayerInIntegersTakesTheMachinesShareOfItsTimeInFloat) {
  const Model real = Convolutions(false), integers = Convolutions(true);
  EXPECT_EQ(real.madds(), integers.madds());
  EXPECT_EQ(real.weight_bytes(), 4 * integers.weight_bytes());
  Machine machine = FindMachine("raspberry-pi-4", "--edge").value();
  ASSERT_TRUE(machine.compute.integers);
  const Timing as_float = PredictTiming(real, machine);
  EXPECT_FALSE(as_float.integers_as_float);
  EXPECT_EQ(as_float.integers_error, 0);
  for (const double factor : {0.5, 1.0, 9.0}) {
    machine.compute.integers->of_float.fill(factor);
    const Timing timing = PredictTiming(integers, machine);
    EXPECT_NEAR(TotalOf(timing), factor * TotalOf(as_float), 1e-9);
    EXPECT_EQ(timing.integers_error, machine.compute.integers->error.left_out_median);
    EXPECT_FALSE(timing.integers_as_float);
  }
  machine.compute.integers.reset();
  const Timing unknown = PredictTiming(integers, machine);
  EXPECT_NEAR(TotalOf(unknown), TotalOf(as_float), 1e-9);
  EXPECT_TRUE(unknown.integers_as_float);
  EXPECT_EQ(unknown.integers_error, 0);
}

// A layer that stays float reads what a DequantizeLinear made too, but its weights are float; one
// without weights is in integers when what it makes becomes integers again.
TEST(Timing, TellsLayersInIntegersFromTheirNeighbours) {
  test::TestModel m;
  m.Input("x", {"1", "16", "8", "8"});
  m.Weight("scale", {}, 0.5F);
  auto* zero = m.graph().add_initializer();
  zero->set_name("zero");
  zero->set_data_type(onnx::TensorProto::UINT8);
  zero->set_raw_data(std::string(1, '\0'));
  m.Node("QuantizeLinear", {"x", "scale", "zero"}, {"x_q"});
  m.Node("DequantizeLinear", {"x_q", "scale", "zero"}, {"x_d"});
  m.Weight("w", {16, 16, 1, 1}, 1);
  m.Node("Conv", {"x_d", "w"}, {"float"});
  m.Node("Add", {"x_d", "x_d"}, {"sum"});
  m.Node("Relu", {"sum"}, {"cut"});
  m.Node("QuantizeLinear", {"cut", "scale", "zero"}, {"cut_q"});
  m.Node("DequantizeLinear", {"cut_q", "scale", "zero"}, {"cut_d"});
  m.Node("Mul", {"cut_d", "float"}, {"y"});
  m.Output("y");
  const Model model = Model::Parse(m.Bytes(), "mixed", EngineShapes()).value();
  std::map<std::string, bool> integers;
  for (const Node& node : model.nodes()) integers[node.op] = FeaturesOf(model, node).integers;
  EXPECT_FALSE(integers.at("Conv"));
  EXPECT_TRUE(integers.at("Add"));
  EXPECT_FALSE(integers.at("Mul"));
}

}  // namespace
}  // namespace fogline
