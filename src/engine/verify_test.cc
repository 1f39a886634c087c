#include "engine/verify.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "engine/shapes.h"
#include "graph/slice.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::SetInt;
using fogline::test::SetInts;
using fogline::test::TestModel;

Tensor Floats(std::initializer_list<float> values) {
  Tensor tensor(DType::kF32, {static_cast<int64_t>(values.size())});
  std::ranges::copy(values, tensor.as<float>().begin());
  return tensor;
}

Difference Between(const Tensor& a, const Tensor& b) {
  Difference difference;
  Compare(a, b, difference);
  return difference;
}

TEST(Verify, ComparesByTheLargestValueOfATensor) {
  EXPECT_TRUE(Between(Floats({1, 2}), Floats({1, 2})).identical);
  const Difference small = Between(Floats({1e-9F, 100}), Floats({1e-6F, 100}));
  EXPECT_FALSE(small.identical);
  EXPECT_NEAR(small.max_abs, 1e-6, 1e-8);
  EXPECT_NEAR(small.max_rel, 1e-8, 1e-10);
  EXPECT_EQ(Between(Floats({NAN}), Floats({NAN})).max_abs, 0);
  EXPECT_TRUE(std::isinf(Between(Floats({NAN}), Floats({1})).max_rel));
  EXPECT_TRUE(std::isinf(Between(Floats({1}), Floats({1, 1})).max_rel));
  EXPECT_TRUE(std::isinf(Between(Floats({0}), Floats({1})).max_rel));
  EXPECT_EQ(Between(Floats({0.0F}), Floats({-0.0F})).max_rel, 0);
}

TEST(Verify, MakesTheSameRandomInputsAgain) {
  const std::vector<Port> ports{{"a", DType::kF32, {3, 5}},
                                {"b", DType::kU8, {7}},
                                {"c", DType::kI64, {2}},
                                {"d", DType::kF16, {4}}};
  const Feeds one = RandomFeeds(ports, 1);
  const Feeds two = RandomFeeds(ports, 1);
  for (const Port& port : ports) {
    EXPECT_TRUE(Between(one.at(port.name), two.at(port.name)).identical);
  }
  EXPECT_FALSE(Between(one.at("a"), RandomFeeds(ports, 2).at("a")).identical);
  for (const float x : one.at("a").as<float>()) EXPECT_LT(std::abs(x), 1.0F);
}

TEST(Verify, ProvesHalvesAndFindsForgedOnes) {
  const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models/mobilenet_v2_1.0_160.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared model at " << path;
  const auto model = Model::Load(path, EngineShapes());
  ASSERT_TRUE(model) << model.error().ToString();
  const auto cut = FindCut(*model, "split13");
  const std::vector<Feeds> feeds{RandomFeeds(model->inputs(), 5)};
  Halves halves;
  halves.edge_bytes = *SlicePrefix(*model, *cut);
  halves.cloud_bytes = *SliceSuffix(*model, *cut);
  const auto good = CheckSplit(*model, *cut, halves, feeds);
  ASSERT_TRUE(good) << good.error().ToString();
  EXPECT_TRUE(good->exact.difference.identical);
  EXPECT_TRUE(good->holds());
  EXPECT_LE(good->optimized.difference.max_rel, Tolerance(*model, true));

  // Some thousand weights that are others: the second half of the file is the classifier's.
  const size_t middle = halves.cloud_bytes.size() / 2;
  std::fill_n(halves.cloud_bytes.begin() + static_cast<long>(middle), 65536, '\x3f');
  const auto forged = CheckSplit(*model, *cut, halves, feeds);
  ASSERT_TRUE(forged) << forged.error().ToString();
  EXPECT_FALSE(forged->exact.holds());
  EXPECT_FALSE(forged->optimized.holds());
}

/// `value` as float16; exact for the few bits that the tests use.
uint16_t Half(float value) {
  if (value == 0) return 0;
  int exponent = 0;
  const float mantissa = std::frexp(std::abs(value), &exponent);
  const int bits = static_cast<int>(mantissa * 2048.0F) - 1024;
  return static_cast<uint16_t>((value < 0 ? 0x8000 : 0) | (exponent + 14) << 10 | bits);
}

/// Convolutions in float16 behind a float32 input, as converters leave them. `other` changes the
/// weights of layer 2 by a sixteenth.
Model HalfPrecision(bool other = false) {
  TestModel m;
  m.Input("x", {"1", "8", "12", "12"});
  SetInt(m.Node("Cast", {"x"}, {"h0"}), "to", onnx::TensorProto::FLOAT16);
  const auto name = [](const char* kind, int layer) { return kind + std::to_string(layer); };
  for (int layer = 0; layer < 4; ++layer) {
    auto& weight = *m.graph().add_initializer();
    weight.set_name(name("w", layer));
    weight.set_data_type(onnx::TensorProto::FLOAT16);
    for (const int64_t d : {8, 8, 3, 3}) weight.add_dims(d);
    std::string raw;
    for (int i = 0; i < 8 * 8 * 9; ++i) {
      float value = static_cast<float>((i * 37 + layer * 11) % 63 - 31) / 256.0F;
      if (other && layer == 2) value *= 1.0625F;
      const uint16_t half = Half(value);
      raw.append(reinterpret_cast<const char*>(&half), sizeof half);
    }
    weight.set_raw_data(raw);
    auto& conv = m.Node("Conv", {name("h", layer), name("w", layer)}, {name("c", layer)});
    SetInts(conv, "pads", {1, 1, 1, 1});
    m.Node("Tanh", {name("c", layer)}, {name("h", layer + 1)});
  }
  SetInt(m.Node("Cast", {"h4"}, {"y"}), "to", onnx::TensorProto::FLOAT);
  m.Output("y");
  return Model::Parse(m.Bytes(), "half.onnx", EngineShapes()).value();
}

/// A convolution around 1000 and a normalisation that takes the 1000 away: the output is a
/// thousandth, in which float32 has lost most digits; fused, none are lost. `shift` is an error.
Model NearZero(float shift = 0) {
  TestModel m;
  m.Input("x", {"1", "3", "8", "8"});
  m.Weight("w", {4, 3, 1, 1}, 1e-3F);
  for (const auto& [name, value] : std::map<std::string, float>{
           {"b", 1000}, {"scale", 1}, {"shift", shift}, {"mean", 1000}, {"variance", 1}}) {
    auto& constant = *m.graph().add_initializer();
    constant.set_name(name);
    constant.set_data_type(onnx::TensorProto::FLOAT);
    constant.add_dims(4);
    for (int i = 0; i < 4; ++i) constant.add_float_data(value);
  }
  m.Node("Conv", {"x", "w", "b"}, {"c"});
  m.Node("BatchNormalization", {"c", "scale", "shift", "mean", "variance"}, {"y"});
  m.Output("y");
  return Model::Parse(m.Bytes(), "zero.onnx", EngineShapes()).value();
}

/// Proves a cut of `model` whose cloud half is cut from `cloud`.
SplitCheck Check(const Model& model, const Model& cloud, const std::string& tensor) {
  const Cut cut = FindCut(model, tensor).value();
  Halves halves;
  halves.edge_bytes = SlicePrefix(model, cut).value();
  halves.cloud_bytes = SliceSuffix(cloud, FindCut(cloud, tensor).value()).value();
  const auto check = CheckSplit(model, cut, halves, {RandomFeeds(model.inputs(), 3)});
  EXPECT_TRUE(check) << check.error().ToString();
  return check.value_or(SplitCheck{});
}

TEST(Verify, OneRoundingOfHalfPrecisionIsNoDifference) {
  const Model model = HalfPrecision();
  double apart = 0;
  for (const char* tensor : {"h0", "c0", "h1", "c1", "h2", "c2", "h3", "c3"}) {
    const SplitCheck check = Check(model, model, tensor);
    EXPECT_TRUE(check.holds()) << tensor << ": " << check.exact.excess << ", "
                               << check.optimized.excess;
    apart = std::max(apart, check.optimized.difference.max_rel);
  }
  EXPECT_GT(apart, 1e-5);  // what was refused before
  const SplitCheck wrong = Check(model, HalfPrecision(/*other=*/true), "h1");
  EXPECT_FALSE(wrong.exact.holds());
  EXPECT_FALSE(wrong.optimized.holds());
}

TEST(Verify, AnOutputNearZeroMayCarryTheRoundingOfWhatCancelsInIt) {
  const Model model = NearZero();
  const SplitCheck check = Check(model, model, "c");
  EXPECT_GT(check.optimized.difference.max_rel, 1e-5);
  EXPECT_TRUE(check.holds()) << check.exact.excess << ", " << check.optimized.excess;
  const SplitCheck wrong = Check(model, NearZero(0.01F), "c");
  EXPECT_FALSE(wrong.exact.holds());
  EXPECT_FALSE(wrong.optimized.holds());
}

}  // namespace
}  // namespace fogline
