// Which class each pixel is, as outputs of many shapes say it: shares and small masks, against a
// reading that looks at one pixel after the other.
#include "vision/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/half.h"
#include "vision/mask_head.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

using testing::HasSubstr;

Result<ModelCard> MaskCard(const std::string& toml, const Port& output, const Shape& picture) {
  return ParseCard(toml, "m.toml", ".", {{"x", DType::kF32, picture}}, {output});
}

Tensor Filled(const Shape& shape, std::initializer_list<float> values) {
  Tensor tensor(DType::kF32, shape);
  std::ranges::copy(values, tensor.as<float>().begin());
  return tensor;
}

Result<MaskFindings> ReadCarded(const Tensor& tensor, const std::string& more = "",
                                const Placement& place = {}) {
  const Port port{"y", tensor.dtype(), tensor.shape()};
  const Shape picture{1, 3, 32, 32};
  FOGLINE_TRY(const ModelCard card, MaskCard("[output]\nkind = 'mask'\n" + more, port, picture));
  return ReadMask(tensor, card, place);
}

TEST(Mask, OfScoresTheLargestIsTheClass) {
  // Three classes on 2x2: 2, 0 / 1, 0.
  const Tensor planes = Filled({1, 3, 2, 2}, {0, 5, 0, 5, 0, 1, 9, 1, 3, 0, 2, 0});
  const Tensor pixels = Filled({1, 2, 2, 3}, {0, 0, 3, 5, 1, 0, 0, 9, 2, 5, 1, 0});
  const MaskFindings wanted{{{"a", 0.5F}, {"b", 0.25F}, {"c", 0.25F}}, {2, 2, {2, 0, 1, 0}}};
  for (const Tensor& tensor : {planes, pixels}) {
    const auto found = ReadCarded(tensor, "labels = ['a', 'b', 'c']");
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_EQ(*found, wanted);
    EXPECT_TRUE(CheckFindings(*found));
  }
}

TEST(Mask, OfOneChannelTheCardSaysFromWhichScoreOnItCounts) {
  const Tensor scores = Filled({1, 1, 2, 2}, {0.1F, 0.9F, 0.5F, 0.4F});
  auto found = ReadCarded(scores, "labels = ['dry', 'wet']");
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(*found, (MaskFindings{{{"dry", 0.5F}, {"wet", 0.5F}}, {2, 2, {0, 1, 1, 0}}}));
  found = ReadCarded(scores, "least_score = 0.3");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (MaskFindings{{{"class 1", 0.75F}, {"class 0", 0.25F}}, {2, 2, {1, 0, 0, 0}}}));
  const Tensor logits = Filled({1, 2, 2}, {-3, 3, 1.5F, 0});
  found = ReadCarded(logits, "scores = 'logits'\nleast_score = 0.9");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shares[1], (LabelShare{"class 1", 0.25F}));
  EXPECT_THAT(ReadCarded(logits).error().ToString(), HasSubstr("scores = \"logits\""));
}

TEST(Mask, OfClassesByNumberEachIsWhatItSays) {
  Tensor numbers(DType::kI64, Shape{1, 2, 2});
  std::ranges::copy(std::array<int64_t, 4>{1, 1, 1, 255}, numbers.as<int64_t>().begin());
  auto found = ReadCarded(numbers, "labels = ['road', 'tree']");
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(*found, (MaskFindings{{{"tree", 0.75F}, {"class 255", 0.25F}}, {2, 2, {0, 0, 0, 1}}}));
  for (const int64_t bad : {int64_t{-1}, int64_t{65536}, std::numeric_limits<int64_t>::max()}) {
    numbers.as<int64_t>()[2] = bad;
    EXPECT_EQ(ReadCarded(numbers).error().code, ErrorCode::kConflict);
  }
  const Tensor rounded = Filled({1, 1, 2, 2}, {2, 0, 2, 1});
  found = ReadCarded(rounded, "labels = ['a', 'b', 'c']");
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->shares[0].label, "c");
}

TEST(Mask, OfManyClassesTheSmallestAreOne) {
  Tensor numbers(DType::kI32, Shape{1, 20, 20});
  for (int i = 0; i < 400; ++i) numbers.as<int32_t>()[static_cast<size_t>(i)] = i;
  const auto found = ReadCarded(numbers);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->shares.size(), kMaxFound);
  EXPECT_EQ(found->shares.back().label, "others");
  EXPECT_NEAR(found->shares.back().share, 146.0 / 400, 1e-5);
  EXPECT_EQ(found->mask.cells.back(), kMaxFound - 1);
  EXPECT_TRUE(CheckFindings(*found));
}

TEST(Mask, NaNIsTheModelsFault) {
  for (const Shape& shape : {Shape{1, 3, 2, 2}, Shape{1, 2, 2, 3}, Shape{1, 1, 2, 2}}) {
    Tensor tensor(DType::kF32, shape);
    std::ranges::fill(tensor.as<float>(), 0.0F);
    tensor.as<float>()[tensor.as<float>().size() - 1] = NAN;
    EXPECT_EQ(ReadCarded(tensor).error().code, ErrorCode::kConflict);
  }
}

/// Random networks, pictures and fits: against one pixel after the other.
TEST(Mask, ScoresOfATypeThatNobodyReadsAreRefused) {
  for (const Shape& shape : {Shape{1, 3, 2, 2}, Shape{1, 2, 2, 3}}) {
    Tensor tensor(DType::kBool, shape);
    std::ranges::fill(tensor.bytes(), std::byte{1});
    const auto found = ReadCarded(tensor, "labels = ['a', 'b', 'c']");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().ToString(), HasSubstr("which nobody reads"));
  }
}

TEST(Mask, SaysWhatEachPixelByItselfSays) {
  std::mt19937 random(7);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 400; ++round) {
    const int64_t c = 2 + below(6), h = 8 + below(80), w = 8 + below(80);
    const bool last = below(2) != 0, half = below(3) == 0;
    const Shape shape = last ? Shape{1, h, w, c} : Shape{1, c, h, w};
    Tensor tensor(half ? DType::kF16 : DType::kF32, shape);
    const auto at = [&](int64_t y, int64_t x, int64_t k) {
      return static_cast<size_t>(last ? (y * w + x) * c + k : (k * h + y) * w + x);
    };
    std::vector<float> values(static_cast<size_t>(c * h * w));
    for (float& v : values) v = static_cast<float>(below(7));
    for (size_t i = 0; i < values.size(); ++i) {
      if (half) {
        tensor.as<uint16_t>()[i] = ToHalf(values[i]);
      } else {
        tensor.as<float>()[i] = values[i];
      }
    }
    std::string toml = "[input]\ncrop = '";
    toml += std::array{"squash", "letterbox", "center"}[static_cast<size_t>(below(3))];
    toml +=
        std::string("'\n[output]\nkind = 'mask'\nchannels = '") + (last ? "last" : "first") + "'";
    const auto card = MaskCard(toml, {"y", tensor.dtype(), shape}, {1, 3, 32, 48});
    ASSERT_TRUE(card) << card.error().ToString();
    const Placement place = PlacementOf(1 + below(300), 1 + below(300), *card);
    const auto found = ReadMask(tensor, *card, place);
    ASSERT_TRUE(found) << found.error().ToString();
    ASSERT_TRUE(CheckFindings(*found));

    std::map<int64_t, double> counts;
    double all = 0;
    bool doubtful = false;  // a pixel's middle lies on the picture's rim
    const auto class_at = [&](int64_t y, int64_t x) {
      int64_t best = 0;
      for (int64_t k = 1; k < c; ++k) {
        if (values[at(y, x, k)] > values[at(y, x, best)]) best = k;
      }
      return best;
    };
    for (int64_t y = 0; y < h; ++y) {
      for (int64_t x = 0; x < w; ++x) {
        const double px = (static_cast<double>(x) + 0.5) / static_cast<double>(w) - place.left;
        const double py = (static_cast<double>(y) + 0.5) / static_cast<double>(h) - place.top;
        const double rim = std::min(
            {std::abs(px), std::abs(py), std::abs(px - place.width), std::abs(py - place.height)});
        doubtful = doubtful || rim < 1e-9;
        if (px < 0 || py < 0 || px >= place.width || py >= place.height) continue;
        ++counts[class_at(y, x)];
        ++all;
      }
    }
    if (all > 0 && !doubtful) {
      ASSERT_EQ(found->shares.size(), counts.size()) << round;
      for (const auto& [k, count] : counts) {
        const auto said =
            std::ranges::find(found->shares, "class " + std::to_string(k), &LabelShare::label);
        ASSERT_NE(said, found->shares.end());
        EXPECT_NEAR(said->share, count / all, 1e-5);
      }
    }
    EXPECT_TRUE(std::ranges::is_sorted(found->shares, std::greater<>(), &LabelShare::share));
    const SmallMask& mask = found->mask;
    EXPECT_EQ(mask.cells.size(), size_t{mask.width} * mask.height);
    for (int j = 0; j < mask.height; ++j) {
      for (int i = 0; i < mask.width; ++i) {
        const auto x = static_cast<int64_t>(std::floor(
            (place.left + place.width * (i + 0.5) / mask.width) * static_cast<double>(w)));
        const auto y = static_cast<int64_t>(std::floor(
            (place.top + place.height * (j + 0.5) / mask.height) * static_cast<double>(h)));
        const uint8_t cell = mask.cells[static_cast<size_t>(j * mask.width + i)];
        if (x < 0 || y < 0 || x >= w || y >= h) {
          EXPECT_EQ(cell, SmallMask::kUnseen);
        } else if (cell != SmallMask::kUnseen) {
          EXPECT_EQ(found->shares[cell].label, "class " + std::to_string(class_at(y, x)));
        }
      }
    }
  }
}

/// 10,000 x 10,000 pixels: read where they lie, into what fits a frame.
TEST(Mask, OfAHundredMillionPixelsIsSmall) {
  Tensor numbers(DType::kU8, Shape{1, 10000, 10000});
  std::ranges::fill(numbers.as<uint8_t>(), uint8_t{0});
  for (size_t i = 0; i < 25'000'000; ++i) numbers.as<uint8_t>()[i] = 1;
  const auto found = ReadCarded(numbers);
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->shares, (std::vector<LabelShare>{{"class 0", 0.75F}, {"class 1", 0.25F}}));
  EXPECT_EQ(found->mask.cells.size(), 64U * 64U);
}

TEST(MaskCards, AreGuessedWhereTheShapeLeavesNoDoubt) {
  const auto guessed = [](DType dtype, const Shape& shape, const Shape& picture) {
    const auto card = MaskCard("", {"y", dtype, shape}, picture);
    EXPECT_TRUE(card) << card.error().ToString();
    return card->kind == ModelCard::Kind::kMask && card->mask.guessed &&
           card->crop == ModelCard::Crop::kSquash;
  };
  const Shape picture{1, 3, 64, 96};
  EXPECT_TRUE(guessed(DType::kF32, {1, 21, 64, 96}, picture));
  EXPECT_TRUE(guessed(DType::kF32, {1, 64, 96, 2}, picture));
  EXPECT_TRUE(guessed(DType::kI64, {1, 64, 96}, picture));
  EXPECT_FALSE(guessed(DType::kF32, {1, 3, 64, 96}, picture));   // a picture
  EXPECT_FALSE(guessed(DType::kF32, {1, 1, 64, 96}, picture));   // depth, or what else
  EXPECT_FALSE(guessed(DType::kF32, {1, 21, 32, 48}, picture));  // features
  EXPECT_FALSE(guessed(DType::kF32, {1, 512, 64, 96}, picture));
}

TEST(MaskCards, ThatDoNotFitAreRefused) {
  const Port scores{"y", DType::kF32, {1, 21, 64, 96}};
  const auto why = [&](const std::string& toml, const Port& port) {
    const auto card = MaskCard(toml, port, {1, 3, 64, 96});
    return card ? std::string() : card.error().ToString();
  };
  EXPECT_THAT(why("[output]\nkind = 'mask'\nlabels = ['a', 'b']", scores),
              HasSubstr("'output.labels' are 2, and the mask 'y' 1x21x64x96 tells 21 classes"));
  EXPECT_THAT(why("[output]\nkind = 'mask'", {"y", DType::kF32, {1, 2, 3, 4, 5}}),
              HasSubstr("masks are 1xCxHxW"));
  EXPECT_THAT(why("[output]\nkind = 'raw'\nchannels = 'last'", scores), HasSubstr("\"mask\""));
  EXPECT_THAT(why("[output]\nkind = 'mask'\n[verdict]\nleast_count = 2", scores),
              HasSubstr("'verdict.least_count' is for another kind of output"));
  EXPECT_EQ(why("[output]\nkind = 'mask'\n[verdict]\nleast_share = 0.2", scores), "");
}

TEST(MaskVerdict, CountsTheSharesOfItsClassesTogether) {
  const auto judge = [](const std::string& rules) {
    const auto card =
        MaskCard("[output]\nkind = 'mask'\nlabels = ['a', 'b', 'c']\n[verdict]\n" + rules,
                 {"y", DType::kF32, {1, 3, 8, 8}}, {1, 3, 8, 8});
    EXPECT_TRUE(card) << card.error().ToString();
    return Judge(MaskFindings{{{"a", 0.5F}, {"b", 0.25F}, {"c", 0.125F}}}, *card);
  };
  Verdict verdict = judge("classes = ['b', 'c']\nleast_share = 0.3");
  EXPECT_TRUE(verdict.positive);
  EXPECT_EQ(verdict.name, "b");
  EXPECT_EQ(verdict.score, 0.375F);
  verdict = judge("classes = ['c']\nleast_share = 0.3");
  EXPECT_FALSE(verdict.positive);
  EXPECT_EQ(verdict.name, "a");
  EXPECT_EQ(verdict.score, 0.125F);
  EXPECT_TRUE(judge("least_share = 0.5").positive);
  EXPECT_FALSE(judge("least_share = 0.6").positive);
}

}  // namespace
}  // namespace fogline
