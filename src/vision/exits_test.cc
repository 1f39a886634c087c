// What a threshold promises, and that the promise holds.
#include "vision/exits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "vision/card.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

/// Counts as fogline train does, of heads' sureness and whether they differ.
EarlyExit Measured(const std::vector<std::pair<double, bool>>& pictures) {
  EarlyExit exit{"split3", "exit", std::string(64, '0'), "drawn", 0, {}};
  exit.pictures = static_cast<int64_t>(pictures.size());
  for (const double threshold : GateThresholds()) {
    GateStep step{threshold, 0, 0};
    for (const auto& [sure, differs] : pictures) {
      step.sure += sure >= threshold;
      step.differ += sure >= threshold && differs;
    }
    exit.steps.push_back(step);
  }
  return exit;
}

TEST(Exits, ThresholdsFallAndEndAtAHalf) {
  const auto thresholds = GateThresholds();
  EXPECT_DOUBLE_EQ(thresholds.front(), 0.9999);
  EXPECT_DOUBLE_EQ(thresholds.back(), 0.5);
  for (size_t i = 1; i < thresholds.size(); ++i) EXPECT_LT(thresholds[i], thresholds[i - 1]);
}

TEST(Exits, PromiseTheLowestThresholdThatPasses) {
  const EarlyExit exit{"split3", "exit",
                       "",       "",
                       1000,     {{0.99, 300, 0}, {0.9, 600, 3}, {0.8, 700, 20}, {0.7, 800, 20}}};
  const auto promise = PromiseOf(exit, 0.01, 1);
  ASSERT_TRUE(promise) << promise.error().ToString();
  EXPECT_DOUBLE_EQ(promise->threshold, 0.9);
  EXPECT_DOUBLE_EQ(promise->sure_share, 0.6);
  EXPECT_NEAR(promise->disagreement_bound, 0.00774, 1e-4);  // qbeta(0.95, 4, 997)
  // One of two takes more.
  EXPECT_GT(PromiseOf(exit, 0.01, 2)->disagreement_bound, promise->disagreement_bound);
  // What comes after a step that fails is never looked at.
  const EarlyExit late{"a", "h", "", "", 1000, {{0.99, 300, 9}, {0.9, 600, 9}}};
  EXPECT_THAT(PromiseOf(late, 0.01, 1).error().message, HasSubstr("9 differ where it is surest"));
}

TEST(Exits, SayHowManyPicturesWouldDo) {
  const EarlyExit few{"split3", "exit", "", "", 3, {{0.99, 3, 0}}};
  const auto refused = PromiseOf(few, 0.01, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().ToString(), HasSubstr("takes 299 pictures"));
  EXPECT_THAT(refused.error().ToString(), HasSubstr("measured on 3"));
  for (const double wrong : {0.0, -0.1, 0.51, std::nan("")}) {
    EXPECT_EQ(PromiseOf(few, wrong, 1).error().code, ErrorCode::kUsage) << wrong;
  }
}

TEST(Exits, PromiseOfAThresholdByHandIsThatOfTheStepBelow) {
  const EarlyExit exit{"split3", "exit", "", "", 1000, {{0.99, 300, 0}, {0.9, 600, 3}}};
  EXPECT_DOUBLE_EQ(PromiseAt(exit, 0.9, 1)->sure_share, 0.6);
  EXPECT_DOUBLE_EQ(PromiseAt(exit, 0.95, 1)->sure_share, 0.6);
  EXPECT_DOUBLE_EQ(PromiseAt(exit, 0.995, 1)->sure_share, 0.3);
  EXPECT_EQ(PromiseAt(exit, 0.5, 1).error().code, ErrorCode::kUsage);
}

/// The promise itself: of 200 draws of pictures at least 95 in 100 keep it, for heads that are well
/// calibrated, too sure of themselves, and hardly better than a coin.
TEST(Exits, PromisesHold) {
  constexpr int kDraws = 200, kPictures = 800;
  constexpr double kMost = 0.03;
  struct Kind {
    double steepness, honesty;
  };
  for (const Kind kind : {Kind{3, 1}, Kind{3, 0.5}, Kind{0.5, 1}}) {
    std::mt19937_64 random(7);
    std::normal_distribution<double> logit(0, kind.steepness);
    std::uniform_real_distribution<double> chance;
    const auto draw = [&](int count) {
      std::vector<std::pair<double, bool>> pictures;
      for (int i = 0; i < count; ++i) {
        const double z = std::abs(logit(random));
        const double right = 1 / (1 + std::exp(-z * kind.honesty));
        pictures.emplace_back(1 / (1 + std::exp(-z)), chance(random) >= right);
      }
      return pictures;
    };
    const EarlyExit truth = Measured(draw(400'000));
    int broken = 0, given = 0;
    for (int i = 0; i < kDraws; ++i) {
      const auto promise = PromiseOf(Measured(draw(kPictures)), kMost, 1);
      if (!promise) continue;  // nothing promised, nothing broken
      ++given;
      for (const GateStep& step : truth.steps) {
        if (step.threshold != promise->threshold) continue;
        const double differ = static_cast<double>(step.differ);
        broken += differ / static_cast<double>(truth.pictures) > kMost;
      }
    }
    EXPECT_LE(broken, kDraws / 20) << kind.steepness << " " << kind.honesty;
    if (kind.steepness > 1 && kind.honesty == 1) {
      EXPECT_GT(given, kDraws / 2);
    }
  }
}

TEST(Exits, JudgeALogitRow) {
  ModelCard card;
  card.labels = {"clean", "litter"};
  card.positive = 1;
  Tensor logits(DType::kF32, Shape{1, 2});
  logits.as<float>()[0] = 2;
  logits.as<float>()[1] = 0;
  const auto verdict = JudgeExit(logits.view(), card);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->label, 0);
  EXPECT_NEAR(verdict->sure, 0.880797, 1e-6);
  EXPECT_NEAR(verdict->score, 0.119203F, 1e-6F);
  logits.as<float>()[1] = std::nanf("");
  EXPECT_EQ(JudgeExit(logits.view(), card).error().code, ErrorCode::kConflict);
  card.labels.emplace_back("third");
  logits.as<float>()[1] = 0;
  EXPECT_EQ(JudgeExit(logits.view(), card).error().code, ErrorCode::kConflict);
}

std::string CardWith(const std::string& exit) {
  return "[output]\nkind = \"logits\"\nlabels = [\"a\", \"b\"]\n" + exit;
}

Result<ModelCard> Parsed(const std::string& toml) {
  const std::vector<Port> in{{"image", DType::kF32, Shape{1, 3, 32, 32}}};
  const std::vector<Port> out{{"logits", DType::kF32, Shape{1, 2}}};
  return ParseCard(toml, "card", {}, in, out);
}

TEST(Exits, AreReadFromTheCard) {
  const std::string hash(64, 'a');
  const std::string head = "[[exit]]\nat = \"x\"\nhead = \"exit\"\nnetwork = \"" + hash + "\"\n";
  const auto card = Parsed(CardWith(
      head + "pictures = 400\nthresholds = [0.99, 0.9]\nsure = [10, 300]\ndiffer = [0, 2]\n"));
  ASSERT_TRUE(card) << card.error().ToString();
  ASSERT_EQ(card->exits.size(), 1U);
  EXPECT_EQ(card->exits[0],
            (EarlyExit{"x", "exit", hash, "", 400, {{0.99, 10, 0}, {0.9, 300, 2}}}));
  const struct {
    const char *rest, *says;
  } kWrong[] = {
      {"pictures = 0\nthresholds = [0.9]\nsure = [1]\ndiffer = [0]\n", "'exit.pictures'"},
      {"pictures = 9\nthresholds = [0.9, 0.95]\nsure = [1, 1]\ndiffer = [0, 0]\n",
       "'exit.thresholds'"},
      {"pictures = 9\nthresholds = [0.9]\nsure = [10]\ndiffer = [0]\n", "'exit.sure'"},
      {"pictures = 9\nthresholds = [0.9]\nsure = [4]\ndiffer = [5]\n", "'exit.differ'"},
      {"pictures = 9\nthresholds = [0.9]\nsure = [4]\n", "'exit.differ'"},
      {"picture = 9\nthresholds = [0.9]\nsure = [4]\ndiffer = [0]\n", "unknown key"},
  };
  for (const auto& wrong : kWrong) {
    const auto refused = Parsed(CardWith(head + wrong.rest));
    ASSERT_FALSE(refused) << wrong.rest;
    EXPECT_THAT(refused.error().message, HasSubstr(wrong.says));
  }
  EXPECT_THAT(Parsed(CardWith("exit = 3\n")).error().message, HasSubstr("output.exit"));
}

}  // namespace
}  // namespace fogline
