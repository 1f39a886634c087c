#include "vision/average_precision.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <sstream>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"

namespace fogline {
namespace {

using testing::ElementsAre;

TEST(AveragePrecision, OfWhatIsFoundExactlyIsOne) {
  const std::vector<JudgedPicture> pictures{
      {{{"dog", 0.1F, 0.1F, 0.2F, 0.2F}, {"cat", 0.5F, 0.5F, 0.2F, 0.2F}},
       {{"dog", 0.9F, 0.1F, 0.1F, 0.2F, 0.2F}, {"cat", 0.3F, 0.5F, 0.5F, 0.2F, 0.2F}}},
      {{}, {}}};
  const MeanPrecision mean = PrecisionOf(pictures);
  EXPECT_DOUBLE_EQ(mean.map50, 1);
  EXPECT_NEAR(mean.map50_95, 1, 1e-12);
  EXPECT_EQ(mean.classes.size(), 2U);
  EXPECT_EQ(PrecisionOf({}).map50, 0);
}

TEST(AveragePrecision, ByHand) {
  // Two dogs; the surest box hits one, then a false alarm, then the other: precision 1 up to a
  // recall of a half (51 recalls), 2/3 beyond (50).
  std::vector<JudgedPicture> pictures{
      {{{"dog", 0, 0, 0.2F, 0.2F}, {"dog", 0.5F, 0.5F, 0.2F, 0.2F}},
       {{"dog", 0.9F, 0, 0, 0.2F, 0.2F},
        {"dog", 0.8F, 0.8F, 0, 0.2F, 0.2F},
        {"dog", 0.7F, 0.5F, 0.5F, 0.2F, 0.2F},
        {"cat", 0.99F, 0, 0, 1, 1}}}};  // of which there is none: it counts nowhere
  EXPECT_NEAR(PrecisionOf(pictures).map50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
  EXPECT_THAT(MatchBoxes(pictures[0], 0.5), ElementsAre(0, -1, 1, -1));
  // A second box of the same dog is a false alarm.
  pictures[0].found[1] = {"dog", 0.8F, 0, 0, 0.2F, 0.2F};
  EXPECT_NEAR(PrecisionOf(pictures).map50, (51 + 50 * 2.0 / 3) / 101, 1e-12);
  // In a crowd it counts neither way.
  pictures[0].truth.push_back({"dog", 0, 0, 0.4F, 0.4F, true});
  EXPECT_DOUBLE_EQ(PrecisionOf(pictures).map50, 1);
  EXPECT_THAT(MatchBoxes(pictures[0], 0.5), ElementsAre(0, -2, 1, -1));
}

/// What tests/reference says of the same boxes; nothing where there is no numpy.
std::vector<double> ByDefinition(const std::vector<JudgedPicture>& pictures) {
  Json json = Json::array();
  for (const JudgedPicture& picture : pictures) {
    Json truth = Json::array(), found = Json::array();
    for (const TrueBox& b : picture.truth) {
      truth.push_back({b.label, b.x, b.y, b.w, b.h, b.crowd ? 1 : 0});
    }
    for (const FoundBox& b : picture.found) {
      found.push_back({b.label, b.score, b.x, b.y, b.w, b.h});
    }
    json.push_back({{"truth", truth}, {"found", found}});
  }
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("fogline-map-{}.json", getpid());
  EXPECT_TRUE(WriteFile(file, Dump(json)));
  Process::Options options;
  options.command = {"/usr/bin/python3",
                     std::string(FOGLINE_SOURCE_DIR) + "/tests/reference/average_precision.py",
                     file.string()};
  options.capture_stdout = true;
  auto child = Process::Start(options);
  const std::string said = child ? child->ReadStdout().value_or("") : "";
  std::filesystem::remove(file);
  if (!child || child->Wait() != 0) return {};
  std::istringstream words(said);
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

TEST(AveragePrecision, IsWhatAnIndependentOneSays) {
  Process::Options numpy;
  numpy.command = {"/usr/bin/python3", "-c", "import numpy"};
  numpy.stderr_to = "/dev/null";
  auto asked = Process::Start(numpy);
  if (!asked || asked->Wait() != 0) GTEST_SKIP() << "no python3-numpy here";
  std::mt19937 random(11);
  const auto part = [&](float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random);
  };
  for (int round = 0; round < 6; ++round) {
    std::vector<JudgedPicture> pictures(12);
    for (JudgedPicture& picture : pictures) {
      for (int i = static_cast<int>(random() % 8); i > 0; --i) {
        const std::string label(1, static_cast<char>('a' + random() % 5));
        const TrueBox truth{label,
                            part(0, 0.7F),
                            part(0, 0.7F),
                            part(0.1F, 0.3F),
                            part(0.1F, 0.3F),
                            random() % 8 == 0};
        picture.truth.push_back(truth);
        // Found again a little elsewhere, some twice, some not at all.
        for (int j = static_cast<int>(random() % 3); j > 0; --j) {
          picture.found.push_back({label, part(0, 1), truth.x + part(0, 0.04F),
                                   truth.y + part(0, 0.04F), truth.w, truth.h});
        }
      }
      for (int i = static_cast<int>(random() % 120); i > 0; --i) {
        const std::string label(1, static_cast<char>('a' + random() % (round == 5 ? 1 : 6)));
        picture.found.push_back({label, part(0, 0.5F), part(0, 0.7F), part(0, 0.7F),
                                 part(0.1F, 0.3F), part(0.1F, 0.3F)});
      }
    }
    const MeanPrecision mean = PrecisionOf(pictures);
    EXPECT_GT(mean.map50_95, 0.01);
    const auto reference = ByDefinition(pictures);
    ASSERT_EQ(reference.size(), 2U);
    EXPECT_NEAR(mean.map50, reference[0], 2e-6);
    EXPECT_NEAR(mean.map50_95, reference[1], 2e-6);
  }
}

}  // namespace
}  // namespace fogline
