// Small networks put into integers: what they compute, what the engine puts together, and what is
// refused.
#include "quantize/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/file.h"
#include "engine/session.h"
#include "engine/shapes.h"
#include "graph/cut.h"
#include "graph/slice.h"
#include "graph/test_model.h"
#include "quantize/fold.h"
#include "quantize/integers.h"
#include "quantize/measure.h"
#include "quantize/ranges.h"
#include "quantize/rounding.h"

namespace fogline {
namespace {

using test::SetInt;
using test::SetInts;
using test::TestModel;
using ::testing::HasSubstr;

void AddFloats(TestModel& model, const std::string& name, const std::vector<int64_t>& dims,
               const std::vector<float>& values) {
  auto* tensor = model.graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t d : dims) tensor->add_dims(d);
  tensor->set_raw_data(values.data(), values.size() * sizeof(float));
}

/// Weights that are as often above as below zero.
std::vector<float> Random(size_t count, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

struct Made {
  float bias = 0.1F;  // of the first layer's first channel
  bool dead = false;  // no picture gets through the second layer
  int64_t opset = 13;
  bool half = false;  // a float16 weight, that nothing reads
};

/// Conv, batch norm, ReLU6; depthwise, ReLU; 1x1 and a shortcut; MaxPool; average, Flatten, Gemm.
TestModel Network8(const Made& made) {
  TestModel model(made.opset);
  model.Input("image", {"1", "3", "32", "32"});
  AddFloats(model, "w1", {8, 3, 3, 3}, Random(216, 0.3F, 1));
  std::vector<float> bias(8, 0.1F);
  bias[0] = made.bias;
  AddFloats(model, "b1", {8}, bias);
  SetInts(model.Node("Conv", {"image", "w1", "b1"}, {"c1"}, "first"), "pads", {1, 1, 1, 1});
  for (const auto& [name, value] :
       {std::pair("gamma", 1.5F), {"beta", 0.2F}, {"mean", 0.1F}, {"var", 0.8F}}) {
    AddFloats(model, name, {8}, std::vector<float>(8, value));
  }
  model.Node("BatchNormalization", {"c1", "gamma", "beta", "mean", "var"}, {"n1"}, "norm");
  if (made.opset >= 11) {
    AddFloats(model, "zero", {}, {0});
    AddFloats(model, "six", {}, {6});
    model.Node("Clip", {"n1", "zero", "six"}, {"r1"}, "relu6");
  } else {
    auto& clip = model.Node("Clip", {"n1"}, {"r1"}, "relu6");
    for (const auto& [name, value] : {std::pair("min", 0.0F), {"max", 6.0F}}) {
      auto* attribute = clip.add_attribute();
      attribute->set_name(name);
      attribute->set_type(onnx::AttributeProto::FLOAT);
      attribute->set_f(value);
    }
  }
  AddFloats(model, "w2", {8, 1, 3, 3}, Random(72, 0.4F, 2));
  AddFloats(model, "b2", {8}, std::vector<float>(8, made.dead ? -1000.0F : 0.0F));
  auto& depthwise = model.Node("Conv", {"r1", "w2", "b2"}, {"c2"}, "second");
  SetInts(depthwise, "pads", {1, 1, 1, 1});
  SetInt(depthwise, "group", 8);
  model.Node("Relu", {"c2"}, {"r2"}, "relu");
  AddFloats(model, "w3", {8, 8, 1, 1}, Random(64, 0.3F, 3));
  model.Node("Conv", {"r2", "w3"}, {"c3"}, "third");
  model.Node("Add", {"c3", "r1"}, {"sum"}, "shortcut");
  SetInts(model.Node("MaxPool", {"sum"}, {"small"}, "pool"), "kernel_shape", {2, 2});
  model.Node("GlobalAveragePool", {"small"}, {"pooled"}, "average");
  model.Node("Flatten", {"pooled"}, {"flat"}, "flatten");
  AddFloats(model, "w4", {5, 8}, Random(40, 0.5F, 4));
  if (made.half) {
    auto* tensor = model.graph().add_initializer();
    tensor->set_name("halves");
    tensor->set_data_type(onnx::TensorProto::FLOAT16);
    tensor->add_dims(5);
    tensor->set_raw_data(std::string(10, '\0'));
    SetInt(model.Node("Cast", {"halves"}, {"b4"}, "cast"), "to", onnx::TensorProto::FLOAT);
  } else {
    AddFloats(model, "b4", {5}, Random(5, 0.1F, 5));
  }
  SetInt(model.Node("Gemm", {"flat", "w4", "b4"}, {"logits"}, "classes"), "transB", 1);
  model.Output("logits");
  return model;
}

CalibrationSet Pictures(size_t count) {
  CalibrationSet set;
  for (size_t i = 0; i < count; ++i) {
    std::mt19937 random(static_cast<uint32_t>(i + 10));
    Image picture;
    picture.width = picture.height = 32;
    for (int k = 0; k < 32 * 32 * 3; ++k) {
      picture.rgb.push_back(static_cast<uint8_t>((random() % 96) + 53 * (i % 4)));
    }
    set.pictures.push_back(std::move(picture));
  }
  return set;
}

class QuantizeTest : public ::testing::Test {
 protected:
  Result<Network> Load(const std::string& bytes, const std::string& name = "made.onnx") {
    const auto path = dir_.path() / name;
    if (const auto written = WriteFile(path, std::string_view(bytes)); !written) {
      return tl::unexpected<Error>(written.error());
    }
    return ReadNetwork(path);
  }
  Result<QuantizeReport> Run(TestModel model, size_t pictures = 16) {
    FOGLINE_TRY(const Network network, Load(model.proto().SerializeAsString()));
    QuantizeOptions options;
    options.measure_time = false;
    options.min_agreement = 0;
    return Quantize(network, Pictures(pictures), options);
  }
  /// Root mean square of what differs, by that of the outputs about their mean.
  double Error8(TestModel model, const QuantizeReport& report) {
    const auto network = Load(model.proto().SerializeAsString());
    const auto inputs = quantize::InputsOf(*network, Pictures(16));
    const auto whole = SliceWhole(network->model);
    const auto a = quantize::Ask(*whole, *network, inputs, 1);
    const auto b = quantize::Ask(report.model, *network, inputs, 1);
    if (!a || !b) return 1e9;
    double off = 0, size = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto x = a->outputs[i][0].as<float>(), y = b->outputs[i][0].as<float>();
      const auto z = a->outputs[(i + 1) % inputs.size()][0].as<float>();
      for (size_t k = 0; k < x.size(); ++k) {
        off += std::pow(x[k] - y[k], 2);
        size += std::pow(x[k] - z[k], 2) / 2;
      }
    }
    return std::sqrt(off / size);
  }

  TempDir dir_;
};

TEST_F(QuantizeTest, ComputesWhatTheFloatNetworkComputesAndAllOfItIsPutTogether) {
  const TestModel model = Network8({});
  const auto report = Run(model);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->integer_layers, 4U);
  EXPECT_TRUE(report->two_fold);
  EXPECT_LT(Error8(model, *report), 0.1);
  // The picture's own conversion alone is left.
  EXPECT_EQ(report->not_fused, (std::map<std::string, int>{{"QuantizeLinear", 1}}));
}

TEST_F(QuantizeTest, RaisesAnOlderOperatorSet) {
  const TestModel model = Network8({.opset = 9});
  const auto report = Run(model);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_LT(Error8(model, *report), 0.1);
  EXPECT_EQ(report->not_fused.count("FusedConv"), 0U);
}

TEST_F(QuantizeTest, TakesDeadLayersAndBiasesBeyondTheWeightsScale) {
  for (const Made& made : {Made{.dead = true}, Made{.bias = -1e7F}}) {
    const auto report = Run(Network8(made));
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_LT(Error8(Network8(made), *report), 0.1);
  }
}

TEST_F(QuantizeTest, TakesOnePicture) {
  const auto report = Run(Network8({}), 1);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_FALSE(report->two_fold);
}

// Ranges come from dull pictures: brighter ones leave them, and that is counted.
TEST_F(QuantizeTest, CountsWhatLeavesTheRangesOnOtherPictures) {
  const auto network = Load(Network8({}).proto().SerializeAsString());
  ASSERT_TRUE(network);
  CalibrationSet bright = Pictures(16);
  CalibrationSet dull = bright;
  for (Image& picture : dull.pictures) {
    for (uint8_t& value : picture.rgb) value = static_cast<uint8_t>(96 + value / 8);
  }
  QuantizeOptions options;
  options.measure_time = false;
  options.min_agreement = 0;
  for (const CalibrationSet* other : {&dull, &bright}) {
    options.check = other;
    const auto report = Quantize(*network, dull, options);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_LT(report->beyond_own, 0.01);
    EXPECT_LT(report->beyond, 0.05);
    ASSERT_TRUE(report->check);
    EXPECT_EQ(report->check->pictures, 16U);
    if (other == &bright) {
      EXPECT_GT(report->check->beyond, 0.1);
      EXPECT_TRUE(report->unlike());
    } else {
      EXPECT_NEAR(report->check->beyond, report->beyond_own, 1e-3);
    }
  }
}

TEST_F(QuantizeTest, GivesTheSameBytesTwice) {
  const auto once = Run(Network8({})), again = Run(Network8({}));
  ASSERT_TRUE(once && again);
  EXPECT_TRUE(once->model == again->model);
}

TEST_F(QuantizeTest, RefusesWhatIsNoFloatNetwork) {
  const auto report = Run(Network8({}));
  ASSERT_TRUE(report);
  const auto integers = Load(report->model, "integers.onnx");
  ASSERT_TRUE(integers) << integers.error().ToString();
  const auto twice = Quantize(*integers, Pictures(4), {});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(twice.error().ToString(), HasSubstr("in integers already"));

  const auto half = Run(Network8({.half = true}));
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().ToString(), HasSubstr("float16 ('halves')"));

  TestModel plain;
  plain.Input("image", {"1", "3", "32", "32"});
  plain.Node("GlobalAveragePool", {"image"}, {"mean"}, "average");
  plain.Output("mean");
  const auto none = Run(plain);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().ToString(), HasSubstr("no layer with weights"));

  const auto network = Load(Network8({}).proto().SerializeAsString());
  ASSERT_TRUE(network);
  EXPECT_FALSE(Quantize(*network, {}, {}));
}

TEST_F(QuantizeTest, KeepsFloatWhatCostsTooMuch) {
  const auto network = Load(Network8({}).proto().SerializeAsString());
  ASSERT_TRUE(network);
  QuantizeOptions options;
  options.measure_time = false;
  options.min_agreement = 1;  // nothing may be lost
  const auto report = Quantize(*network, Pictures(16), options);
  ASSERT_TRUE(report) << report.error().ToString();
  for (const KeptFloat& kept : report->kept_float) EXPECT_GT(kept.cost + kept.error, 0);
  EXPECT_EQ(report->integer_layers + report->kept_float.size(), report->layers);
}

TEST_F(QuantizeTest, HalvesAreExactAtEveryCutThatIsListed) {
  const auto report = Run(Network8({}));
  ASSERT_TRUE(report);
  const auto network = Load(report->model, "integers.onnx");
  ASSERT_TRUE(network) << network.error().ToString();
  const auto cuts = ListCuts(network->model);
  ASSERT_TRUE(cuts);
  const auto inputs = quantize::InputsOf(*network, Pictures(2));
  const auto whole = quantize::Ask(report->model, *network, inputs, 1);
  ASSERT_TRUE(whole);
  size_t bytes = 0;
  for (const Cut& cut : *cuts) {
    const auto prefix = SlicePrefix(network->model, cut), suffix = SliceSuffix(network->model, cut);
    if (!cut.is_split()) continue;
    ASSERT_TRUE(prefix && suffix) << cut.name;
    const auto first = OpenSession(std::as_bytes(std::span(*prefix)), "prefix");
    const auto second = OpenSession(std::as_bytes(std::span(*suffix)), "suffix");
    ASSERT_TRUE(first && second) << cut.name;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const TensorView in = inputs[i].view();
      const auto crossing = (*first)->Run({&in, 1});
      ASSERT_TRUE(crossing);
      std::vector<TensorView> over;
      for (const Tensor& tensor : *crossing) {
        bytes += tensor.dtype() == DType::kU8 ? 1 : 0;
        over.push_back(tensor.view());
      }
      const auto outputs = (*second)->Run(over);
      ASSERT_TRUE(outputs) << cut.name;
      EXPECT_TRUE(std::ranges::equal((*outputs)[0].bytes(), whole->outputs[i][0].bytes()))
          << cut.name;
    }
  }
  EXPECT_GT(bytes, 0U) << "some cut carries a tensor of bytes";
}

TEST_F(QuantizeTest, AFloatLayerBetweenIntegerOnesIsFloatInTheEngineToo) {
  const auto network = Load(Network8({}).proto().SerializeAsString());
  ASSERT_TRUE(network);
  auto net = quantize::Net::Parse(*SliceWhole(network->model), "made");
  ASSERT_TRUE(net && quantize::Fold(*net));
  const auto inputs = quantize::InputsOf(*network, Pictures(8));
  const auto choices = quantize::Choose(*net, inputs, {}, 1);
  ASSERT_TRUE(choices);
  for (const char* layer : {"first", "second", "third", "classes"}) {
    const auto model = quantize::Assemble(*net, *choices, {layer});
    ASSERT_TRUE(model) << layer;
    const auto left = quantize::NotFused(*model, *network);
    ASSERT_TRUE(left) << left.error().ToString();
    int computing = 0;
    for (const auto& [op, count] : *left) computing += op.ends_with("Linear") ? 0 : count;
    EXPECT_EQ(computing, 1) << layer;
  }
}

TEST_F(QuantizeTest, OneSideOfACutCanStayFloat) {
  const auto network = Load(Network8({}).proto().SerializeAsString());
  ASSERT_TRUE(network);
  QuantizeOptions options;
  options.measure_time = false;
  options.floating = {"third", "classes"};
  for (const double target : {0.0, 1.01}) {  // the second is out of reach
    options.min_agreement = target;
    const auto report = Quantize(*network, Pictures(16), options);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(report->layers, 4U);
    EXPECT_EQ(report->integer_layers + report->kept_float.size(), 2U);
    EXPECT_GT(report->integer_layers, 0U);
    for (const KeptFloat& one : report->kept_float) {
      EXPECT_FALSE(options.floating.contains(one.layer)) << "nobody asked what it costs";
    }
    const auto net = quantize::Net::Parse(report->model, "made");
    ASSERT_TRUE(net);
    for (const auto& node : net->graph().node()) {
      if (!options.floating.contains(node.name())) continue;
      EXPECT_TRUE(net->Floats(node.input(1))) << node.name() << " has its float weights";
    }
  }
  options.floating = {"first", "second", "third", "classes"};
  const auto none = Quantize(*network, Pictures(16), options);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUsage);
}

TEST(ChooseRange, HasNoStepsForWhatASigmoidBehindLevels) {
  quantize::Histogram seen;
  seen.low = -100;
  seen.high = 6;
  std::vector<float> values(4000);
  for (size_t k = 0; k < values.size(); ++k) values[k] = -100 + 0.0265F * static_cast<float>(k);
  seen.Add(values);
  for (const auto behind : {quantize::Behind::kSigmoid, quantize::Behind::kSilu}) {
    const auto range =
        quantize::ChooseRange(seen, {.behind = behind}, quantize::RangeRule::kSquares);
    EXPECT_LT(range.low(), -2);
    EXPECT_GT(range.low(), -12) << "below it nothing comes out that differs";
  }
  const quantize::Bounds plain;
  EXPECT_LT(quantize::ChooseRange(seen, plain, quantize::RangeRule::kSquares).low(), -80);
}

TEST(RoundWeights, BoundsPairsAndLearnsToErrLess) {
  double with = 0, without = 0;
  for (uint32_t seed = 0; seed < 50; ++seed) {
    quantize::Linear linear;
    linear.outputs = 6;
    linear.inputs = 16;
    const auto weights = Random(96, 1, seed);
    quantize::Moments moments{16, 1, 16, Random(16, 0.5F, seed + 1), std::vector<float>(256)};
    const auto rows = Random(size_t{16} * 40, 1, seed + 2);  // correlated by a common part
    for (size_t r = 0; r < 40; ++r) {
      for (size_t i = 0; i < 16; ++i) {
        for (size_t j = 0; j < 16; ++j) {
          const float common = 2 * rows[r * 16];
          moments.covariance[i * 16 + j] +=
              (rows[r * 16 + i] + common) * (rows[r * 16 + j] + common) / 40;
        }
      }
    }
    const auto error = [&](const quantize::IntegerWeights& integers) {
      double sum = 0;
      for (size_t o = 0; o < 6; ++o) {
        for (size_t i = 0; i < 16; ++i) {
          for (size_t j = 0; j < 16; ++j) {
            const auto off = [&](size_t k) {
              return weights[o * 16 + k] - integers.scales[o] * integers.values[o * 16 + k];
            };
            sum += off(i) * off(j) * moments.covariance[i * 16 + j];
          }
        }
      }
      return sum;
    };
    quantize::RoundingOptions options;
    const std::vector<float> least(6, 0.0F);
    const auto learned = quantize::RoundWeights(linear, weights, least, moments, options);
    for (size_t o = 0; o < 6; ++o) {
      for (size_t i = 0; i < 16; i += 2) {
        const int sum = learned.values[o * 16 + i] + learned.values[o * 16 + i + 1];
        EXPECT_LE(std::abs(sum), 128);
      }
    }
    with += error(learned);
    options.learned = false;
    without += error(quantize::RoundWeights(linear, weights, least, moments, options));
  }
  EXPECT_LT(with, 0.8 * without);
}

// What an activation cuts anyway is not lost to the range, nor what rounds to its end.
TEST(CountBeyond, CountsWhatTheRangeAloneCuts) {
  quantize::Histogram seen;
  seen.low = -10;
  seen.high = 10;
  for (int i = 0; i < 1000; ++i) {
    const float value = -10 + static_cast<float>(i) / 50;
    seen.Add(std::span(&value, 1));
  }
  const quantize::Affine8 all = quantize::AffineOf(-10, 10), half = quantize::AffineOf(0, 5);
  EXPECT_EQ(CountBeyond(seen, {}, all).share(), 0);
  EXPECT_NEAR(CountBeyond(seen, {}, half).share(), 0.75, 0.01);
  EXPECT_NEAR(CountBeyond(seen, {.low = 0}, half).share(), 0.25, 0.01);
  EXPECT_EQ(CountBeyond(seen, {.low = 0, .high = 5}, half).share(), 0);
  EXPECT_NEAR(CountBeyond(seen, {.behind = quantize::Behind::kSilu}, half).share(), 0.25, 0.01);
}

TEST(ChooseRange, HoldsZeroAndStaysWithinItsBounds) {
  using quantize::RangeRule;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    auto values = Random(4000, 1, seed);
    values[0] = 40;  // one outlier
    quantize::Histogram seen;
    for (const float value : values) {
      seen.low = std::min(seen.low, value);
      seen.high = std::max(seen.high, value);
    }
    seen.Add(values);
    for (const RangeRule rule :
         {RangeRule::kAll, RangeRule::kPercentile, RangeRule::kSquares, RangeRule::kEntropy}) {
      const auto range = quantize::ChooseRange(seen, {0, 6}, rule);
      EXPECT_EQ(range.zero, 0);
      EXPECT_LE(range.high(), 6.0001F);
      EXPECT_GT(range.scale, 0);
      const auto free = quantize::ChooseRange(seen, {}, rule);
      EXPECT_LE(free.low(), 0);
      EXPECT_LE(free.high(), 40.2F);
    }
  }
  EXPECT_EQ(quantize::AffineOf(0, 0).scale, 1) << "of nothing but zeros";
}

}  // namespace
}  // namespace fogline
