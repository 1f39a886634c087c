// Scores against figures worked out by hand, and the decision against the daemons' own.
#include "learn/score.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learn/logistic.h"
#include "learn/random.h"
#include "learn/threshold.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

Prediction Of(int label, double positive) {
  Prediction p{{"", label}, {1 - positive, positive}, 0};
  p.decided = Decide(p.probabilities, 1, 0.5);
  return p;
}

TEST(Score, CountsByClass) {
  // 3 of class 0 (one wrong), 1 of class 1 (right).
  const Score score = ScoreOf({Of(0, 0.1), Of(0, 0.2), Of(0, 0.9), Of(1, 0.8)}, 2);
  EXPECT_EQ(score.images, 4U);
  EXPECT_DOUBLE_EQ(score.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(score.balanced_accuracy, (2.0 / 3 + 1) / 2);
  EXPECT_EQ(score.confusion, (std::vector<std::vector<size_t>>{{2, 1}, {0, 1}}));
  EXPECT_DOUBLE_EQ(score.classes[1].precision, 0.5);
  EXPECT_DOUBLE_EQ(score.classes[1].recall, 1);
  EXPECT_DOUBLE_EQ(score.classes[1].f1, 2.0 / 3);
  EXPECT_NEAR(score.log_loss, -(std::log(0.9) + std::log(0.8) + std::log(0.1) + std::log(0.8)) / 4,
              1e-12);
}

TEST(Score, AClassWithoutPicturesDoesNotCount) {
  const Score score = ScoreOf({Of(1, 0.9)}, 2);
  EXPECT_DOUBLE_EQ(score.balanced_accuracy, 1);
  EXPECT_DOUBLE_EQ(ScoreOf({}, 2).accuracy, 0);
}

TEST(Score, MistakesComeWorstFirst) {
  const auto wrong = Mistakes({Of(0, 0.6), Of(1, 0.7), Of(1, 0.01), Of(0, 0.95)});
  ASSERT_EQ(wrong.size(), 3U);
  EXPECT_NEAR(wrong[0].of_truth(), 0.01, 1e-12);
  EXPECT_NEAR(wrong[2].of_truth(), 0.4, 1e-12);
}

TEST(Score, WilsonsIntervalIsTheTextbooks) {
  const Interval i = WilsonInterval(113, 118);
  EXPECT_NEAR(i.low, 0.9047, 5e-4);
  EXPECT_NEAR(i.high, 0.9818, 5e-4);
  EXPECT_NEAR(WilsonInterval(10, 10).high, 1, 1e-9);
  EXPECT_LT(WilsonInterval(10, 10).low, 0.75);
}

TEST(Decide, IsTheRuleOfTheDaemons) {
  Random random(3);
  for (int trial = 0; trial < 500; ++trial) {
    const size_t classes = 2 + random.Below(4);
    ModelCard card;
    card.labels.assign(classes, "x");
    card.positive = static_cast<int>(random.Below(classes + 1)) - 1;
    card.threshold = random.Between(0.1, 0.9);
    Tensor logits(DType::kF32, {1, static_cast<int64_t>(classes)});
    std::vector<double> probabilities;
    for (float& z : logits.as<float>()) {
      z = static_cast<float>(random.Between(-2, 2));
      probabilities.push_back(z);
    }
    Softmax(probabilities);
    const auto verdict = ReadClass(logits.view(), card);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(Decide(probabilities, card.positive, card.threshold), verdict->label);
  }
}

std::vector<Prediction> Noisy(size_t count, double share) {
  std::vector<Prediction> all;
  Random random(11);
  for (size_t i = 0; i < count; ++i) {
    const int label = random.Uniform() < share ? 1 : 0;
    const double p = std::clamp(random.Uniform() * 0.7 + 0.3 * label, 0.0, 1.0);
    all.push_back(Of(label, std::round(p * 20) / 20));  // with ties
  }
  return all;
}

TEST(ThresholdCurve, AgreesWithCountingEveryPair) {
  const auto all = Noisy(200, 0.3);
  const ThresholdCurve curve = CurveOf(all, 1);
  double wins = 0, pairs = 0;
  for (const auto& a : all) {
    for (const auto& b : all) {
      if (a.sample.label != 1 || b.sample.label != 0) continue;
      pairs += 1;
      const double pa = a.probabilities[1], pb = b.probabilities[1];
      wins += pa > pb ? 1 : pa == pb ? 0.5 : 0;
    }
  }
  EXPECT_NEAR(curve.auc, wins / pairs, 1e-12);
  ASSERT_EQ(curve.points.size(), 101U);
  EXPECT_DOUBLE_EQ(curve.points.front().recall(), 1);
  EXPECT_DOUBLE_EQ(curve.points.front().false_positive_rate(), 1);
  for (size_t i = 1; i < curve.points.size(); ++i) {
    EXPECT_LE(curve.points[i].recall(), curve.points[i - 1].recall());
  }
  EXPECT_GT(curve.average_precision, 0.3);
  EXPECT_LE(curve.average_precision, 1);
}

TEST(ThresholdCurve, IsPerfectForAPerfectClassifier) {
  const ThresholdCurve curve = CurveOf({Of(0, 0.1), Of(0, 0.3), Of(1, 0.6), Of(1, 0.9)}, 1);
  EXPECT_DOUBLE_EQ(curve.auc, 1);
  EXPECT_DOUBLE_EQ(curve.average_precision, 1);
}

TEST(ChooseThreshold, IsTheShareOfPositivesWhereProbabilitiesAreRight) {
  std::vector<Prediction> all;
  Random random(5);
  for (int i = 0; i < 4000; ++i) {
    const double p = std::pow(random.Uniform(), 3);  // a quarter on average
    all.push_back(Of(random.Uniform() < p ? 1 : 0, p));
  }
  EXPECT_NEAR(ChooseThreshold(all, 1), 0.25, 0.08);
}

TEST(ChooseThreshold, MovesWhereProbabilitiesAreWrong) {
  std::vector<Prediction> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(Of(0, 0.01 + 0.0005 * i));
    all.push_back(Of(1, 0.15 + 0.002 * i));
  }
  const double threshold = ChooseThreshold(all, 1);
  EXPECT_GT(threshold, 0.05);
  EXPECT_LT(threshold, 0.16);
  EXPECT_DOUBLE_EQ(ChooseThreshold({Of(1, 0.9)}, 1), 0.5);  // nothing to weigh it against
}

}  // namespace
}  // namespace fogline
