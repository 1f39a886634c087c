#include "codec/allot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fogline {
namespace {

/// `elements` numbers to which the outputs listen with `gain`: each halving of the step costs a bit
/// an element and does a quarter of the damage.
TensorCurve Curve(double elements, double gain) {
  TensorCurve curve;
  for (const double ratio : {1.0 / 16, 1.0 / 4, 1.0, 3.0}) {
    curve.points.push_back({ratio, elements / 8 * (8 - std::log2(ratio)), gain * ratio * ratio});
  }
  return curve;
}

TEST(AllotSteps, TensorsAlikeAreTreatedAlike) {
  const TensorCurve curves[] = {Curve(1000, 0.1), Curve(1000, 0.1), Curve(1000, 0.1)};
  for (const double damage : {0.2, 0.02, 0.002}) {
    const auto ratios = AllotSteps(curves, damage);
    EXPECT_EQ(ratios[0], ratios[1]);
    EXPECT_EQ(ratios[0], ratios[2]);
    EXPECT_NEAR(3 * 0.1 * ratios[0] * ratios[0], damage, 0.15 * damage);
  }
}

/// In theory the damage is shared by elements: the step then goes with √(elements / gain).
TEST(AllotSteps, DamageIsSharedByWhatItSaves) {
  const TensorCurve curves[] = {Curve(1000, 0.1), Curve(4000, 0.1), Curve(1000, 10)};
  const auto ratios = AllotSteps(curves, 0.01);
  EXPECT_NEAR(ratios[1] / ratios[0], 2, 0.15);
  EXPECT_NEAR(ratios[0] / ratios[2], 10, 0.7);
}

/// No other choice of ratios does as little damage in fewer bytes.
TEST(AllotSteps, NothingAtRandomIsCheaper) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> log_ratio(std::log(0.02), std::log(4));
  const TensorCurve curves[] = {Curve(3000, 0.02), Curve(500, 0.3), Curve(8000, 0.01)};
  const double elements[] = {3000, 500, 8000}, gains[] = {0.02, 0.3, 0.01};
  const auto price = [&](std::span<const double> ratios) {
    std::pair<double, double> sum{0, 0};
    for (size_t t = 0; t < 3; ++t) {
      sum.first += elements[t] / 8 * (8 - std::log2(ratios[t]));
      sum.second += gains[t] * ratios[t] * ratios[t];
    }
    return sum;
  };
  const auto [bytes, damage] = price(AllotSteps(curves, 0.05));
  EXPECT_LE(damage, 0.05);
  for (int i = 0; i < 20000; ++i) {
    const double ratios[] = {std::exp(log_ratio(random)), std::exp(log_ratio(random)),
                             std::exp(log_ratio(random))};
    const auto [other_bytes, other_damage] = price(ratios);
    if (other_damage <= damage) {
      EXPECT_GT(other_bytes, 0.995 * bytes);
    }
  }
}

TEST(AllotSteps, NoisyAndFlatCurvesGiveStepsWithinTheirBounds) {
  TensorCurve noisy{{{0.1, 50, 0.2}, {0.5, 70, 0.1}, {2, 10, 0.4}}};
  TensorCurve silent{{{0.1, 50, 0}, {2, 10, 0}}};
  TensorCurve constant{{{0.1, 5, 0.1}, {2, 5, 0.1}}};
  const TensorCurve curves[] = {noisy, silent, constant};
  double before = 0;
  for (const double damage : {0.0, 1e-6, 0.1, 0.5, 100.0}) {
    const auto ratios = AllotSteps(curves, damage);
    for (const double ratio : ratios) {
      EXPECT_GE(ratio, kLeastRatio);
      EXPECT_LE(ratio, kMostRatio * (1 + 1e-9));
    }
    EXPECT_GE(ratios[0], before);  // more damage never asks for a finer step
    before = ratios[0];
  }
}

}  // namespace
}  // namespace fogline
