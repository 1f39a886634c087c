#include "engine/verify.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/shapes.h"
#include "graph/slice.h"

namespace fogline {
namespace {

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
  EXPECT_TRUE(good->exact.identical);
  EXPECT_LE(good->optimized.max_rel, Tolerance(*model));

  // Some thousand weights that are others: the second half of the file is the classifier's.
  const size_t middle = halves.cloud_bytes.size() / 2;
  std::fill_n(halves.cloud_bytes.begin() + static_cast<long>(middle), 65536, '\x3f');
  const auto forged = CheckSplit(*model, *cut, halves, feeds);
  ASSERT_TRUE(forged) << forged.error().ToString();
  EXPECT_FALSE(forged->exact.identical);
}

}  // namespace
}  // namespace fogline
