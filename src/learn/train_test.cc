// From a folder of pictures to a model that the rest of Fogline can use, and what is refused.
#include "learn/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "learn/evaluate.h"
#include "learn/test_pictures.h"
#include "vision/network.h"

namespace fogline {
namespace {

using test::DrawFolders;
using test::WriteBackbone;
using ::testing::Contains;
using ::testing::HasSubstr;

void Silent(std::string_view, size_t, size_t) {}

/// A folder with a backbone and pictures, and options that use them.
class TrainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.backbone = dir_.path() / "backbone.onnx";
    options_.images = dir_.path() / "pictures";
    options_.out = dir_.path() / "head.onnx";
    options_.threads = 2;
    WriteBackbone(options_.backbone);
  }
  Result<TrainReport> Run() { return Train(options_, Silent); }
  Error Refusal() {
    const auto trained = Run();
    EXPECT_FALSE(trained);
    EXPECT_FALSE(std::filesystem::exists(options_.out)) << "nothing is written on failure";
    return trained ? Error{} : trained.error();
  }
  std::string Card() { return ReadTextFile(dir_.path() / "head.toml").value_or(""); }

  TempDir dir_;
  TrainOptions options_;
};

TEST_F(TrainTest, LearnsRedPatches) {
  DrawFolders(options_.images, "litter", 30, "clean", 34);
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->images, 64U);
  EXPECT_EQ(report->labels, (std::vector<std::string>{"clean", "litter"}));
  EXPECT_EQ(report->features.tensor, "pooled");
  EXPECT_EQ(report->positive, 1);
  EXPECT_TRUE(report->positive_guessed);
  EXPECT_EQ(report->folds, 5);
  EXPECT_EQ(report->augment, 4);
  EXPECT_GE(report->score.accuracy, 0.95);
  EXPECT_GT(report->curve.auc, 0.95);

  const auto network = LoadNetwork(options_.out);
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_EQ(network->card.labels, report->labels);
  EXPECT_EQ(network->card.positive, 1);
  EXPECT_DOUBLE_EQ(network->card.threshold, report->threshold);
  EXPECT_EQ(network->card.kind, ModelCard::Kind::kLogits);
  EXPECT_EQ(network->card.width, 32);
  EXPECT_THAT(Card(), HasSubstr("backbone.onnx"));

  // The file it wrote, on pictures it has not seen.
  const auto fresh = dir_.path() / "fresh";
  DrawFolders(fresh, "litter", 60, "clean", 60);
  for (int i = 0; i < 34; ++i) {
    std::filesystem::remove(fresh / "clean" / fmt::format("clean_{:03}.jpg", i));
    if (i < 30) std::filesystem::remove(fresh / "litter" / fmt::format("litter_{:03}.jpg", i));
  }
  const auto evaluated = Evaluate({options_.out, fresh, 2, 0}, Silent);
  ASSERT_TRUE(evaluated) << evaluated.error().ToString();
  EXPECT_EQ(evaluated->images, 56U);
  EXPECT_GE(evaluated->score.accuracy, 0.9);
}

TEST_F(TrainTest, GivesTheSameFileForTheSameSeedWhateverTheThreads) {
  DrawFolders(options_.images, "litter", 12, "clean", 12);
  ASSERT_TRUE(Run());
  const auto model = ReadFile(options_.out).value();
  const std::string card = Card();
  options_.threads = 5;
  ASSERT_TRUE(Run());
  EXPECT_EQ(ReadFile(options_.out).value(), model);
  EXPECT_EQ(Card(), card);
  options_.seed = 2;
  ASSERT_TRUE(Run());
  EXPECT_NE(ReadFile(options_.out).value(), model);
}

TEST_F(TrainTest, MakesAnEarlyExitOfAnEarlierTensor) {
  DrawFolders(options_.images, "litter", 20, "clean", 20);
  options_.at = "r1";
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->features.average);
  EXPECT_EQ(report->features.width, 12);
  const auto network = LoadNetwork(options_.out);
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_LT(network->model.FindActivation("c2"), 0) << "later layers are gone";

  options_.at = "r3";
  options_.out = dir_.path() / "none.onnx";
  EXPECT_THAT(Refusal().message, HasSubstr("'r1'"));
  options_.at = "image";
  EXPECT_EQ(Refusal().code, ErrorCode::kUsage);
}

TEST_F(TrainTest, TellsThreeClassesApartWithoutAPositiveOne) {
  DrawFolders(options_.images, "red", 15, "grey", 15);
  for (int i = 0; i < 15; ++i) {
    Image blue = test::DrawScene(100 + static_cast<uint64_t>(i), false);
    for (size_t p = 0; p < blue.rgb.size(); p += 3) blue.rgb[p + 2] = 250;
    std::vector<std::byte> jpeg;
    ASSERT_TRUE(EncodeJpeg(blue, 90, jpeg));
    std::filesystem::create_directories(options_.images / "blue");
    ASSERT_TRUE(WriteFile(options_.images / "blue" / fmt::format("{}.jpg", i), jpeg));
  }
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->labels, (std::vector<std::string>{"blue", "grey", "red"}));
  EXPECT_EQ(report->positive, -1);
  EXPECT_GE(report->score.accuracy, 0.85);
  const auto network = LoadNetwork(options_.out);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->card.positive, -1);

  options_.positive = "red";
  const auto red = Run();
  ASSERT_TRUE(red) << red.error().ToString();
  EXPECT_EQ(red->positive, 2);
  EXPECT_FALSE(red->positive_guessed);
  options_.positive = "rde";
  std::filesystem::remove(options_.out);
  const Error error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kUsage);
  EXPECT_THAT(error.message, HasSubstr("'red'"));
}

TEST_F(TrainTest, LeavesOutAndNamesWhatItCannotRead) {
  DrawFolders(options_.images, "litter", 10, "clean", 10);
  ASSERT_TRUE(WriteFile(options_.images / "clean" / "clean_004.jpg", "no picture"));
  ASSERT_TRUE(WriteFile(options_.images / "litter" / "empty.png", ""));
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->images, 19U);
  ASSERT_EQ(report->skipped.size(), 2U);
  EXPECT_EQ(report->skipped[0].file.filename(), "clean_004.jpg");
  EXPECT_EQ(report->skipped[1].file.filename(), "empty.png");
}

TEST_F(TrainTest, RefusesWhatNothingCanBeLearntFrom) {
  EXPECT_EQ(Refusal().code, ErrorCode::kNotFound);  // no folder
  std::filesystem::create_directories(options_.images);
  EXPECT_EQ(Refusal().code, ErrorCode::kInvalid);  // no pictures
  DrawFolders(options_.images, "litter", 3, "clean", 0);
  EXPECT_THAT(Refusal().message, HasSubstr("at least two"));  // one class
  DrawFolders(options_.images, "litter", 2, "clean", 1);
  EXPECT_THAT(Refusal().message, HasSubstr("at least 2"));  // three pictures
}

TEST_F(TrainTest, WarnsOfLittleAndOfUnbalancedData) {
  DrawFolders(options_.images, "litter", 3, "clean", 40);
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->folds, 3);
  EXPECT_THAT(report->warnings, Contains(HasSubstr("only 3 pictures")));
  EXPECT_THAT(report->warnings, Contains(HasSubstr("balanced accuracy")));
  EXPECT_LE(report->score.balanced_accuracy, 1);
}

TEST_F(TrainTest, RefusesABackboneWithoutPooledFeatures) {
  WriteBackbone(options_.backbone, false);
  DrawFolders(options_.images, "litter", 5, "clean", 5);
  const Error error = Refusal();
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("--at"));
  EXPECT_THAT(error.message, HasSubstr("'flat'"));
  options_.at = "r2";
  EXPECT_TRUE(Run());
}

TEST_F(TrainTest, RefusesToWriteOverTheBackboneOrElsewhere) {
  DrawFolders(options_.images, "litter", 5, "clean", 5);
  const auto out = options_.out;
  options_.out = options_.backbone;
  EXPECT_EQ(Run().error().code, ErrorCode::kUsage);
  options_.out = dir_.path() / "head.bin";
  EXPECT_EQ(Run().error().code, ErrorCode::kUsage);
  options_.out = dir_.path() / "no" / "head.onnx";
  EXPECT_EQ(Run().error().code, ErrorCode::kNotFound);
  options_.out = out;
  options_.folds = 1;
  EXPECT_EQ(Run().error().code, ErrorCode::kUsage);
}

TEST(GuessPositive, GoesByTheNames) {
  EXPECT_EQ(GuessPositive({"clean", "litter"}), 1);
  EXPECT_EQ(GuessPositive({"litter", "no_litter"}), 0);
  EXPECT_EQ(GuessPositive({"Trash", "street"}), 0);
  EXPECT_EQ(GuessPositive({"cat", "dog"}), 1);
  EXPECT_EQ(GuessPositive({"dog", "not_dog"}), 0);
  EXPECT_EQ(GuessPositive({"bottle", "can", "paper"}), -1);
  EXPECT_EQ(GuessPositive({"clean", "garbage", "road"}), 1);
}

TEST(Train, TellsLitterOnRealStreets) {
  const std::filesystem::path shared(FOGLINE_SHARED_DATA);
  const auto backbone = shared / "models/mobilenet_v2_1.0_160.onnx";
  if (!std::filesystem::exists(backbone)) GTEST_SKIP() << "no shared models at " << shared;
  const TempDir dir;
  TrainOptions options;
  options.backbone = backbone;
  options.images = shared / "images/streets";
  options.out = dir.path() / "streets.onnx";
  options.augment = 1;  // a third of the time of the default, and as right
  options.threads = 2;
  const auto report = Train(options, Silent);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->images, 118U);
  EXPECT_EQ(report->features.width, 1280);
  EXPECT_GE(report->score.accuracy, 0.95);
  EXPECT_GE(report->score.balanced_accuracy, 0.95);
}

}  // namespace
}  // namespace fogline
