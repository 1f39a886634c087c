// Early exits of a classifier: what is written, what is refused, and that promises hold.
#include "learn/fit_exits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/file.h"
#include "engine/session.h"
#include "learn/features.h"
#include "learn/logistic.h"
#include "learn/test_pictures.h"
#include "vision/network.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

using test::DrawFolders;
using test::WriteBackbone;
using ::testing::HasSubstr;

void Quiet(std::string_view, size_t, size_t) {}

/// A classifier of red patches, and pictures of them.
class FitExitsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteBackbone(dir_.path() / "backbone.onnx");
    DrawFolders(dir_.path() / "pictures", "litter", 60, "clean", 60);
    TrainOptions train;
    train.backbone = dir_.path() / "backbone.onnx";
    train.images = dir_.path() / "pictures";
    train.out = dir_.path() / "teacher.onnx";
    train.threads = 2;
    const auto trained = Train(train, Quiet);
    ASSERT_TRUE(trained) << trained.error().ToString();
    options_.network = train.out;
    options_.out = dir_.path() / "early.onnx";
    options_.exits = {"r1"};
    options_.measured_on = "drawings";
    options_.threads = 2;
    const auto samples = ListUnlabelled(train.images, Depth::kRecursive);
    ASSERT_TRUE(samples);
    options_.pictures = SampleHalvesOf(*samples, 1, 1);
  }
  Error Refusal() {
    const auto fitted = FitExits(options_, Quiet);
    EXPECT_FALSE(fitted);
    EXPECT_FALSE(std::filesystem::exists(options_.out)) << "nothing is written on failure";
    return fitted ? Error{} : fitted.error();
  }

  TempDir dir_;
  FitExitsOptions options_;
};

TEST_F(FitExitsTest, WritesANetworkThatIsItsTeacherWithADoorInIt) {
  const auto report = FitExits(options_, Quiet);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->fitted, 60U);
  EXPECT_EQ(report->measured, 60U);
  ASSERT_EQ(report->exits.size(), 1U);
  EXPECT_GT(report->exits[0].agreement, 0.8);

  const auto teacher = LoadNetwork(options_.network), early = LoadNetwork(options_.out);
  ASSERT_TRUE(teacher && early) << early.error().ToString();
  EXPECT_EQ(early->card.labels, teacher->card.labels);
  EXPECT_DOUBLE_EQ(early->card.threshold, teacher->card.threshold);
  ASSERT_EQ(early->card.exits, std::vector{report->exits[0].exit});
  EXPECT_EQ(early->model.outputs().size(), 1U);
  const auto cuts = ListCuts(early->model), before = ListCuts(teacher->model);
  ASSERT_TRUE(cuts && before);
  ASSERT_EQ(cuts->size(), before->size());
  for (size_t i = 0; i < cuts->size(); ++i) EXPECT_EQ((*cuts)[i].id, (*before)[i].id);

  const EarlyExit& exit = early->card.exits[0];
  EXPECT_EQ(exit.pictures, 60);
  EXPECT_EQ(exit.measured_on, "drawings");
  for (size_t i = 1; i < exit.steps.size(); ++i) {
    EXPECT_GE(exit.steps[i].sure, exit.steps[i - 1].sure);
    EXPECT_GE(exit.steps[i].differ, exit.steps[i - 1].differ);
  }
  // Of two classes a head is always sure to one half.
  EXPECT_EQ(exit.steps.back().sure, 60);
  EXPECT_LT(exit.steps.back().differ, 12);

  // The part up to the exit gives the tensor and the logits that the counts were made of.
  const auto part = SliceExit(*early, exit);
  ASSERT_TRUE(part) << part.error().ToString();
  const auto session = OpenSession(std::as_bytes(std::span(*part)), "part");
  ASSERT_TRUE(session);
  ASSERT_EQ((*session)->outputs().size(), 2U);
  EXPECT_EQ((*session)->outputs()[0].name, "r1");
  const auto logits =
      ExtractFeatures(**session, 2, early->card, options_.pictures.measure, {0, 1, 2, 1}, [] {});
  ASSERT_TRUE(logits) << logits.error().ToString();
  int64_t sure = 0;
  for (size_t i = 0; i < logits->samples.size(); ++i) {
    const auto row = logits->Row(i);
    const TensorView view{DType::kF32, Shape{2}, std::as_bytes(row)};
    sure += JudgeExit(view, early->card)->sure >= exit.steps[10].threshold;
  }
  EXPECT_EQ(sure, exit.steps[10].sure);
}

TEST_F(FitExitsTest, ACardOfAnotherNetworkIsRefused) {
  ASSERT_TRUE(FitExits(options_, Quiet));
  auto card = ReadTextFile(dir_.path() / "early.toml");
  ASSERT_TRUE(card);
  const size_t at = card->find("network = \"") + 11;
  (*card)[at] = (*card)[at] == '0' ? '1' : '0';
  ASSERT_TRUE(WriteFile(dir_.path() / "early.toml", *card));
  const auto other = LoadNetwork(options_.out);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_THAT(other.error().message, HasSubstr("was measured on network"));
  // And one beside a network without heads.
  ASSERT_TRUE(WriteFile(dir_.path() / "teacher.toml", *card));
  EXPECT_THAT(LoadNetwork(options_.network).error().message, HasSubstr("the model does not give"));
}

TEST_F(FitExitsTest, RefusesInOneLine) {
  options_.exits = {"r1", "c1,r1"};
  EXPECT_EQ(Refusal().code, ErrorCode::kUsage);
  options_.exits = {"r1", "tensor:r1"};
  EXPECT_THAT(Refusal().message, HasSubstr("is there twice"));
  options_.exits = {"input"};
  EXPECT_THAT(Refusal().message, HasSubstr("no place for an exit"));
  options_.exits = {"r1"};
  const SampleHalves all = options_.pictures;
  options_.pictures.fit.resize(3);
  EXPECT_THAT(Refusal().message, HasSubstr("pictures or more of two of them"));
  options_.pictures = all;
  std::erase_if(options_.pictures.fit, [](const Sample& s) {
    return s.file.string().find("litter_") != std::string::npos;
  });
  EXPECT_EQ(Refusal().code, ErrorCode::kInvalid);
  options_.pictures = all;
  options_.pictures.measure.clear();
  EXPECT_THAT(Refusal().message, HasSubstr("no picture left"));
  options_.network = dir_.path() / "raw.onnx";
  WriteBackbone(options_.network);
  ASSERT_TRUE(WriteFile(dir_.path() / "raw.toml", std::string("[output]\nkind = \"raw\"\n")));
  EXPECT_EQ(Refusal().code, ErrorCode::kUnsupported);
}

TEST_F(FitExitsTest, FindsPlacesByItself) {
  options_.exits = {"auto"};
  const auto report = FitExits(options_, Quiet);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_GE(report->exits.size(), 1U);
  const auto early = LoadNetwork(options_.out);
  ASSERT_TRUE(early) << early.error().ToString();
  EXPECT_EQ(early->card.exits.size(), report->exits.size());
}

TEST(SampleHalvesOf, HaveNoPictureInCommon) {
  std::vector<Sample> samples(101);
  for (int i = 0; i < 101; ++i) samples[static_cast<size_t>(i)] = {fmt::format("{}", i), i % 3};
  const SampleHalves halves = SampleHalvesOf(samples, 3, 7);
  EXPECT_NEAR(static_cast<double>(halves.fit.size()), 50.5, 1);
  std::set<std::filesystem::path> seen;
  for (const auto* half : {&halves.fit, &halves.measure}) {
    for (const Sample& sample : *half) EXPECT_TRUE(seen.insert(sample.file).second);
  }
  EXPECT_EQ(seen.size(), samples.size());
  EXPECT_NE(SampleHalvesOf(samples, 3, 8).fit[5].file, halves.fit[5].file);
}

/// The promise on photographs: of 200 random draws from variations of the demo's pictures, through
/// the litter network and a head at split3, at least 95 in 100 keep it on all of them.
TEST(EarlyExits, PromisesHoldOnThePicturesOfTheDemo) {
  const std::filesystem::path models = FOGLINE_SOURCE_DIR "/models";
  const auto network = LoadNetwork(models / "litter.onnx");
  const auto samples = ListUnlabelled(models / "demo", Depth::kFlat);
  ASSERT_TRUE(network && samples);
  constexpr int kCopies = 16;
  const ExtractOptions options{kCopies - 1, 1, 0, 0};
  const auto whole = OpenSession(network->model);
  ASSERT_TRUE(whole);
  const auto outputs = ExtractFeatures(**whole, 2, network->card, *samples, options, [] {});
  const auto cut = FindCut(network->model, "split3");
  ASSERT_TRUE(outputs && cut);
  const auto point = FeaturesAt(network->model, cut->tensors[0].name);
  ASSERT_TRUE(point);
  const auto part = WriteFeatures(network->model, *point);
  ASSERT_TRUE(part);
  const auto session = OpenSession(std::as_bytes(std::span(*part)), "features");
  ASSERT_TRUE(session);
  const auto features = ExtractFeatures(**session, static_cast<size_t>(point->width), network->card,
                                        *samples, options, [] {});
  ASSERT_TRUE(features);
  ASSERT_EQ(features->samples.size(), 40U);

  std::vector<int> verdicts;
  for (size_t i = 0; i < features->rows(); ++i) {
    const auto row = outputs->Row(i / kCopies, i % kCopies);
    const TensorView view{DType::kF32, Shape{2}, std::as_bytes(row)};
    verdicts.push_back(ReadClass(view, network->card)->label);
  }
  // A head that learns from a third, whose faults are many enough to be worth bounding.
  const size_t learnt = features->rows() / 3;
  std::vector<double> weights(learnt, 1.0);
  const std::span rows(features->values.data(), learnt * features->width);
  const auto heads =
      FitLogistic({rows, features->width, std::span(verdicts.data(), learnt), weights, 2}, {0.1});
  ASSERT_TRUE(heads) << heads.error().ToString();
  struct Said {
    double sure;
    bool differs;
  };
  std::vector<Said> said;
  for (size_t i = learnt; i < features->rows(); ++i) {
    const auto p = Probabilities(heads->back(), features->Row(i / kCopies, i % kCopies));
    const int label = p[1] > p[0] ? 1 : 0;
    said.push_back({std::max(p[0], p[1]), label != verdicts[i]});
  }
  const auto measured = [](std::span<const Said> some) {
    EarlyExit exit{"x", "h", "", "", static_cast<int64_t>(some.size()), {}};
    for (const double threshold : GateThresholds()) {
      GateStep step{threshold, 0, 0};
      for (const Said& one : some) {
        step.sure += one.sure >= threshold;
        step.differ += one.sure >= threshold && one.differs;
      }
      exit.steps.push_back(step);
    }
    return exit;
  };
  const EarlyExit all = measured(said);
  EXPECT_GT(all.steps.back().differ, 10) << "nothing to bound";
  std::mt19937_64 random(3);
  constexpr int kDraws = 200;
  constexpr double kMost = 0.05;
  int given = 0, broken = 0;
  for (int i = 0; i < kDraws; ++i) {
    std::ranges::shuffle(said, random);
    const auto promise = PromiseOf(measured(std::span(said).first(said.size() / 2)), kMost, 1);
    if (!promise) continue;
    ++given;
    for (const GateStep& step : all.steps) {
      if (step.threshold != promise->threshold) continue;
      broken += static_cast<double>(step.differ) > kMost * static_cast<double>(all.pictures);
    }
  }
  EXPECT_LE(broken, kDraws / 20);
  EXPECT_GT(given, 0);
}

}  // namespace
}  // namespace fogline
