#include "profile/timing.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "engine/shapes.h"
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

}  // namespace
}  // namespace fogline
