// Scoring a model: labels matched to folders, and what is refused.
#include "learn/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "learn/test_pictures.h"

namespace fogline {
namespace {

using test::DrawFolders;
using test::WriteBackbone;
using ::testing::HasSubstr;

void Quietly(std::string_view, size_t, size_t) {}

/// A network of five classes that nobody trained: its figures are whatever they are, but they must
/// be the same figures everywhere.
class EvaluateTest : public ::testing::Test {
 protected:
  void SetUp() override { WriteBackbone(Model()); }
  std::filesystem::path Model() const { return dir_.path() / "five.onnx"; }
  std::filesystem::path Pictures() const { return dir_.path() / "pictures"; }
  void Card(const std::string& text) { ASSERT_TRUE(WriteFile(dir_.path() / "five.toml", text)); }
  Result<EvaluateReport> Run(int threads = 2) {
    return Evaluate({Model(), Pictures(), threads, 0}, Quietly);
  }

  TempDir dir_;
};

constexpr const char* kFive = "[output]\nlabels = [\"a\", \"Can\", \"c\", \"road\", \"e\"]\n";

TEST_F(EvaluateTest, CountsEveryPictureOnce) {
  Card(std::string(kFive) + "positive = \"Can\"\nthreshold = 0.2\n");
  DrawFolders(Pictures(), "can", 9, "road", 7);  // "can" is "Can" in another case
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->images, 16U);
  EXPECT_EQ(report->model_classes, 5U);
  EXPECT_THAT(report->labels, ::testing::IsSupersetOf({"Can", "road"}));
  ASSERT_GE(report->positive, 0);
  EXPECT_EQ(report->labels[static_cast<size_t>(report->positive)], "Can");
  size_t counted = 0, binned = 0;
  for (const auto& row : report->score.confusion) {
    for (const size_t count : row) counted += count;
  }
  for (const CalibrationBin& bin : report->calibration) binned += bin.images;
  EXPECT_EQ(counted, 16U);
  EXPECT_EQ(binned, 16U);
  EXPECT_EQ(report->curve.points.size(), 101U);
  const ThresholdPoint at = CountAt(report->predictions, report->positive, 0.2);
  EXPECT_EQ(at.true_positives,
            report->score.classes[static_cast<size_t>(report->positive)].correct);

  const auto again = Run(1);
  ASSERT_TRUE(again);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(again->predictions[i].probabilities, report->predictions[i].probabilities);
  }
}

TEST_F(EvaluateTest, NamesTheNearestClassOfAMistypedFolder) {
  Card(kFive);
  DrawFolders(Pictures(), "Cann", 2, "road", 2);
  const auto report = Run();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(report.error().where, HasSubstr("Cann"));
  EXPECT_THAT(report.error().message, HasSubstr("did you mean 'Can'"));
  EXPECT_THAT(report.error().message, HasSubstr("a, Can, c, road, e"));
}

TEST_F(EvaluateTest, TakesNumbersWhereTheCardHasNoLabels) {
  DrawFolders(Pictures(), "3", 2, "class 0", 2);
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->positive, -1);
  EXPECT_TRUE(report->curve.points.empty());
  EXPECT_EQ(report->labels.front(), "class 0");
  DrawFolders(Pictures(), "5", 2, "class 0", 2);
  const auto beyond = Run();
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("0 to 4"));
}

TEST_F(EvaluateTest, LeavesOutWhatItCannotReadUnlessNothingIsLeft) {
  Card(kFive);
  DrawFolders(Pictures(), "a", 2, "c", 1);
  ASSERT_TRUE(WriteFile(Pictures() / "a" / "a_000.jpg", "no picture"));
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->images, 2U);
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].file.filename(), "a_000.jpg");
  ASSERT_TRUE(WriteFile(Pictures() / "a" / "a_001.jpg", "no picture"));
  ASSERT_TRUE(WriteFile(Pictures() / "c" / "c_000.jpg", "no picture"));
  const auto none = Run();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("none of its 3 pictures"));
}

TEST_F(EvaluateTest, RefusesWhatIsNoClassifier) {
  DrawFolders(Pictures(), "a", 2, "c", 2);
  Card("[output]\nkind = \"other\"\n");
  EXPECT_EQ(Run().error().code, ErrorCode::kUnsupported);
  Card("[output]\nlabels = [\"a\", \"c\"]\n");  // the model has five
  EXPECT_EQ(Run().error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace fogline
