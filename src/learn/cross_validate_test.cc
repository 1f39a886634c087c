// Folds: each has its share, copies stay together, threads do not matter.
#include "learn/cross_validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learn/random.h"

namespace fogline {
namespace {

/// `count` pictures with features drawn at random; class 1 is shifted by `apart` in every feature.
FeatureTable Table(size_t count, size_t width, size_t copies, double apart, uint64_t seed = 1) {
  FeatureTable table;
  table.width = width;
  table.copies = copies;
  Random random(seed);
  for (size_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % 2);
    table.samples.push_back({std::to_string(i), label});
    std::vector<float> row;
    for (size_t f = 0; f < width; ++f) {
      row.push_back(static_cast<float>(random.Between(-1, 1) + apart * label));
    }
    for (size_t c = 0; c < copies; ++c) {
      table.values.insert(table.values.end(), row.begin(), row.end());
    }
  }
  return table;
}

CrossValidation Validate(const FeatureTable& table, int folds, int threads = 2, uint64_t seed = 1) {
  auto cv = CrossValidate(table, 2, folds, seed, DefaultLambdas(), threads, [] {});
  EXPECT_TRUE(cv) << cv.error().ToString();
  return std::move(*cv);
}

TEST(StratifiedFolds, GiveEveryFoldItsShareOfEveryClass) {
  std::vector<Sample> samples;
  for (int i = 0; i < 23; ++i) samples.push_back({"", 0});
  for (int i = 0; i < 11; ++i) samples.push_back({"", 1});
  const std::vector<int> folds = StratifiedFolds(samples, 2, 5, 1);
  std::vector<std::vector<int>> counts(2, std::vector<int>(5));
  for (size_t i = 0; i < samples.size(); ++i) {
    ++counts[static_cast<size_t>(samples[i].label)][static_cast<size_t>(folds[i])];
  }
  for (int f = 0; f < 5; ++f) {
    EXPECT_TRUE(counts[0][f] == 4 || counts[0][f] == 5);
    EXPECT_TRUE(counts[1][f] == 2 || counts[1][f] == 3);
    EXPECT_TRUE(counts[0][f] + counts[1][f] == 6 || counts[0][f] + counts[1][f] == 7);
  }
  EXPECT_EQ(folds, StratifiedFolds(samples, 2, 5, 1));
  EXPECT_NE(folds, StratifiedFolds(samples, 2, 5, 2));
}

TEST(CrossValidate, FindsClassesThatDiffer) {
  const CrossValidation cv = Validate(Table(80, 10, 2, 1.2), 5);
  EXPECT_GT(ScoreOf(cv.predictions, 2).accuracy, 0.9);
  EXPECT_EQ(cv.lambdas.size(), cv.log_loss.size());
  EXPECT_LT(cv.log_loss[cv.best], std::log(2.0) / 2);
}

TEST(CrossValidate, LearnsNothingFromNoise) {
  // More features than pictures and several copies of each: if a copy strayed into another fold the
  // head would know the picture by heart.
  double correct = 0;
  for (const uint64_t seed : {1U, 2U, 3U, 4U}) {
    const CrossValidation cv = Validate(Table(60, 100, 4, 0, seed), 5, 2, seed);
    correct += ScoreOf(cv.predictions, 2).accuracy / 4;
  }
  EXPECT_GT(correct, 0.35);
  EXPECT_LT(correct, 0.65);
}

TEST(CrossValidate, DoesNotDependOnTheThreads) {
  const FeatureTable table = Table(40, 20, 3, 0.4);
  const CrossValidation one = Validate(table, 4, 1), four = Validate(table, 4, 4);
  EXPECT_EQ(one.log_loss, four.log_loss);
  for (size_t i = 0; i < one.predictions.size(); ++i) {
    EXPECT_EQ(one.predictions[i].probabilities, four.predictions[i].probabilities);
  }
}

TEST(CrossValidate, GivesEveryPictureOnePrediction) {
  const FeatureTable table = Table(31, 5, 1, 1);
  const CrossValidation cv = Validate(table, 7);
  ASSERT_EQ(cv.predictions.size(), 31U);
  for (size_t i = 0; i < 31; ++i) {
    EXPECT_EQ(cv.predictions[i].sample.file, table.samples[i].file);
    ASSERT_EQ(cv.predictions[i].probabilities.size(), 2U);
    EXPECT_NEAR(cv.predictions[i].probabilities[0] + cv.predictions[i].probabilities[1], 1, 1e-9);
  }
}

}  // namespace
}  // namespace fogline
