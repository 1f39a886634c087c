// Numbers with names and units, and the verdict by one of them.
#include "vision/numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "vision/findings_bytes.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

using testing::HasSubstr;

Result<ModelCard> NumberCard(const std::string& toml, const Shape& shape = {1, 2},
                             DType dtype = DType::kF32) {
  return ParseCard("[output]\nkind = 'numbers'\n" + toml, "m.toml", ".",
                   {{"x", DType::kF32, {1, 3, 32, 32}}}, {{"y", dtype, shape}});
}

TEST(Numbers, HaveUnits) {
  const auto card = NumberCard("labels = ['level', 'people']\nunits = ['m', '']");
  ASSERT_TRUE(card) << card.error().ToString();
  Tensor values(DType::kF32, Shape{1, 2});
  values.as<float>()[0] = -0.5F;
  values.as<float>()[1] = 12;
  const auto found = ReadNumbers(values.view(), *card);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (NumberFindings{{{"level", -0.5, "m"}, {"people", 12}}}));
}

TEST(Numbers, OfWholeOnesAreCounts) {
  const auto card = NumberCard("units = 'cars'", {1, 2}, DType::kI64);
  ASSERT_TRUE(card) << card.error().ToString();
  Tensor values(DType::kI64, Shape{1, 2});
  values.as<int64_t>()[0] = 3;
  values.as<int64_t>()[1] = -7;
  EXPECT_EQ(*ReadNumbers(values.view(), *card),
            (NumberFindings{{{"0", 3, "cars"}, {"1", -7, "cars"}}}));
}

TEST(Numbers, OfAnEmbeddingFitAFrame) {
  const auto card = NumberCard("", {1, 1024});
  ASSERT_TRUE(card) << card.error().ToString();
  Tensor values(DType::kF32, Shape{1, 1024});
  for (size_t i = 0; i < 1024; ++i) values.as<float>()[i] = static_cast<float>(i) / 7;
  const auto found = ReadNumbers(values.view(), *card);
  ASSERT_TRUE(found);
  EXPECT_TRUE(CheckFindings(*found));
  std::vector<std::byte> bytes;
  WriteFindings(*found, bytes);
  EXPECT_LE(bytes.size(), 15'000U);
  const auto read = ParseFindings(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<NumberFindings>(*read), *found);
  EXPECT_THAT(NumberCard("", {1, 1025}).error().ToString(), HasSubstr("say kind = \"raw\""));
}

TEST(Numbers, ThatDoNotFitTheirCardAreRefused) {
  EXPECT_THAT(NumberCard("labels = ['a', 'b', 'c']").error().ToString(),
              HasSubstr("'output.labels' are 3, and 'y' 1x2 has 2 numbers"));
  EXPECT_THAT(NumberCard("labels = ['a', 'b']\nunits = ['m', 's', 'K']").error().ToString(),
              HasSubstr("'output.units' must be"));
  EXPECT_THAT(NumberCard("[verdict]\nnumber = '0'").error().ToString(), HasSubstr("is missing"));
  EXPECT_THAT(
      NumberCard("labels = ['a', 'b']\n[verdict]\nnumber = 'c'\nleast = 1").error().ToString(),
      HasSubstr("'c', which is not among the labels"));
  EXPECT_THAT(NumberCard("[verdict]\nleast_score = 0.5").error().ToString(),
              HasSubstr("there are number, least, most"));
}

TEST(NumberVerdict, IsTheLimitsOfOne) {
  const NumberFindings found{{{"level", 2.5, "m"}, {"people", 12}}};
  const auto positive = [&](const std::string& rules) {
    const auto card = NumberCard("labels = ['level', 'people']\n[verdict]\n" + rules);
    EXPECT_TRUE(card) << card.error().ToString();
    const Verdict verdict = Judge(found, *card);
    EXPECT_EQ(verdict.score, 0);
    EXPECT_NE(verdict.label, -1);
    return verdict.positive;
  };
  EXPECT_TRUE(positive("number = 'level'\nleast = 2.5"));
  EXPECT_FALSE(positive("number = 'level'\nleast = 2.6"));
  EXPECT_TRUE(positive("number = 'people'\nleast = 10\nmost = 12"));
  EXPECT_FALSE(positive("number = 'people'\nmost = 11.5"));
}

}  // namespace
}  // namespace fogline
