#include "codec/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fogline {
namespace {

Tensor Floats(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor(DType::kF32, shape);
  std::ranges::copy(values, tensor.as<float>().begin());
  return tensor;
}

/// Detections of picture i: places × (a coordinate in pixels, a score), the second place's alone
/// differing from picture to picture.
Tensor Boxes(int i, float off_pixels = 0, float off_score = 0) {
  std::vector<float> values;
  for (int place = 0; place < 50; ++place) {
    const bool object = place == 1 + i % 3;
    values.push_back(static_cast<float>(place * 8 + (i * 37 + place * 11) % 17) + off_pixels);
    values.push_back((object ? 0.9F : 0.01F) + (object ? off_score : 0));
  }
  return Floats({1, 50, 2}, values);
}

Reference OfBoxes() {
  std::vector<std::vector<Tensor>> outputs;
  for (int i = 0; i < 6; ++i) outputs.push_back({Boxes(i)});
  return {std::move(outputs), std::nullopt};
}

TEST(Reference, AgreementOfClassesIsWhetherTheTopOneIsTheSame) {
  const Reference reference({{Floats({1, 3}, {1, 2, 3})}, {Floats({1, 3}, {3, 1, 2})}},
                            Reference::Classes{0, 3});
  EXPECT_EQ(reference.Agreement(0, {Floats({1, 3}, {1, 2, 2.5F})}), 1);
  EXPECT_EQ(reference.Agreement(0, {Floats({1, 3}, {3, 2, 2.5F})}), 0);
}

TEST(Reference, AgreementOfOtherOutputsIsOneForTheSameAndNothingForAnotherPictures) {
  const Reference reference = OfBoxes();
  EXPECT_EQ(reference.Agreement(2, {Boxes(2)}), 1);
  EXPECT_LT(reference.Agreement(2, {Boxes(3)}), 0.1);
}

TEST(Reference, AScoreThatIsLostCountsBesideBoxesInPixels) {
  const Reference reference = OfBoxes();
  // Taken as a whole, pixels would drown it: 0.8 of hundreds.
  EXPECT_LT(reference.Agreement(0, {Boxes(0, 0, -0.8F)}), 0.8);
  EXPECT_GT(reference.Agreement(0, {Boxes(0, 0, -0.01F)}), 0.99);
  EXPECT_GT(reference.Agreement(0, {Boxes(0, 0.2F, 0)}), 0.95);
}

TEST(Reference, WholeNumbersAreComparedByHowManyDiffer) {
  const auto ids = [](std::vector<int64_t> values) {
    Tensor tensor(DType::kI64, {1, 4});
    std::ranges::copy(values, tensor.as<int64_t>().begin());
    return tensor;
  };
  const Reference reference({{ids({1, 2, 3, 4})}, {ids({5, 6, 7, 8})}}, std::nullopt);
  EXPECT_EQ(reference.Agreement(0, {ids({1, 2, 3, 4})}), 1);
  EXPECT_EQ(reference.Agreement(0, {ids({1, 2, 3, 5})}),
            reference.Agreement(0, {ids({1, 2, 3, 4000})}));
  EXPECT_LT(reference.Agreement(0, {ids({1, 2, 3, 5})}), 0.6);
}

TEST(Reference, HalfPrecisionOutputsAreNumbers) {
  const auto half = [](std::vector<uint16_t> bits) {
    Tensor tensor(DType::kF16, {1, 2});
    std::ranges::copy(bits, tensor.as<uint16_t>().begin());
    return tensor;
  };
  const Reference reference({{half({0x3C00, 0x4000})}, {half({0x4000, 0x3C00})}},
                            Reference::Classes{0, 2});  // 1, 2
  EXPECT_EQ(reference.Top1(size_t{0}), 1);
  EXPECT_EQ(reference.Agreement(0, {half({0x4000, 0x3C00})}), 0);
  EXPECT_GT(reference.RelativeError(0, {half({0x4000, 0x3C00})}), 0.5);
}

TEST(Reference, OutputsNearZeroAreNotHeldAgainstTheirOwnRounding) {
  const Reference reference({{Floats({1, 2}, {1e-20F, 0})}, {Floats({1, 2}, {0, 0})}},
                            std::nullopt);
  EXPECT_GT(reference.Agreement(0, {Floats({1, 2}, {-1e-20F, 1e-12F})}), 0.999);
  EXPECT_LT(reference.RelativeError(0, {Floats({1, 2}, {-1e-20F, 1e-12F})}), 1e-3);
  // Nor does what was always zero hide that it no longer is.
  EXPECT_EQ(reference.Agreement(1, {Floats({1, 2}, {0.5F, 0.5F})}), 0);
}

TEST(Reference, AnotherShapeOrANumberThatIsNoneIsNoAgreement) {
  const Reference reference = OfBoxes();
  EXPECT_EQ(reference.Agreement(0, {Floats({1, 49, 2}, std::vector<float>(98, 0))}), 0);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(reference.Agreement(0, {Boxes(0, nan, 0)}), 0);
  const float infinite = -std::numeric_limits<float>::infinity();
  const auto masked = [&](float x) { return Floats({1, 2}, {infinite, x}); };
  const Reference with_masks({{masked(1)}, {masked(2)}}, std::nullopt);
  EXPECT_EQ(with_masks.Agreement(0, {masked(1)}), 1);
  EXPECT_EQ(with_masks.Agreement(0, {Floats({1, 2}, {0, 1})}), 0);
}

TEST(Reference, OutputsThatAreNoNumbersOfEnoughToCompareAgreeWithThemselves) {
  const Reference reference({{Tensor(DType::kF32, {0, 4})}, {Tensor(DType::kF32, {0, 4})}},
                            std::nullopt);
  EXPECT_EQ(reference.Agreement(0, {Tensor(DType::kF32, {0, 4})}), 1);
}

}  // namespace
}  // namespace fogline
