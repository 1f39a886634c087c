// What a card says of a network in integers.
#include "vision/card_integers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vision/card.h"

namespace fogline {
namespace {

using ::testing::HasSubstr;

Result<ModelCard> ReadCard(const std::string& toml) {
  return ParseCard(toml, "card", ".", {{"x", DType::kF32, Shape{1, 3, 32, 32}}},
                   {{"y", DType::kF32, Shape{1, 2}}});
}

TEST(CardIntegers, AreReadAsTheyAreWritten) {
  IntegersNote note{{}, 0.9412, 100, true};
  for (size_t i = 0; i < note.of.size(); ++i) note.of[i] = static_cast<uint8_t>(7 * i);
  for (const double agreement : {0.9412, 1.0, 0.0}) {
    note.agreement = agreement;
    for (const char* before : {"", "[output]\nkind = \"logits\""}) {
      const auto card = ReadCard(before + IntegersText(note));
      ASSERT_TRUE(card) << card.error().ToString();
      EXPECT_EQ(card->integers, note);
    }
  }
  EXPECT_FALSE(ReadCard("")->integers);
}

TEST(CardIntegers, WhatIsWrongIsNamed) {
  const std::string of = "of = \"" + std::string(64, 'a') + "\"\n";
  for (const auto& [text, says] :
       {std::pair<std::string, const char*>{"agreement = 0.9\npictures = 9\n", "integers.of"},
        {"of = \"abc\"\nagreement = 0.9\npictures = 9\n", "integers.of"},
        {of + "pictures = 9\n", "integers.agreement"},
        {of + "agreement = 1.5\npictures = 9\n", "integers.agreement"},
        {of + "agreement = 0.9\n", "integers.pictures"},
        {of + "agreement = 0.9\npictures = 9\ntwo_fold = \"no\"\n", "integers.two_fold"},
        {of + "agreement = 0.9\npictures = 9\nfast = true\n", "unknown key"}}) {
    const auto refused = ReadCard("[integers]\n" + text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().message, HasSubstr(says));
  }
}

}  // namespace
}  // namespace fogline
