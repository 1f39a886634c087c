// Variations: the first is the picture itself, the second its mirror image, all are repeatable.
#include "learn/augment.h"

#include <gtest/gtest.h>

#include "learn/card_text.h"
#include "learn/test_pictures.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

ModelCard Card32() {
  ModelCard card;
  card.width = card.height = 32;
  return card;
}

TEST(FitVaried, BeginsWithThePictureAndItsMirrorImage) {
  const Image scene = test::DrawScene(1, true);
  Image fitted, plain, mirrored;
  FitToInput(scene, Card32(), fitted);
  FitVaried(scene, Card32(), {1, 0, 0}, plain);
  FitVaried(scene, Card32(), {1, 0, 1}, mirrored);
  EXPECT_EQ(plain.rgb, fitted.rgb);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(mirrored.rgb[3 * (y * 32 + x) + c], fitted.rgb[3 * (y * 32 + 31 - x) + c]);
      }
    }
  }
}

TEST(FitVaried, IsTheSameForTheSameNumbersOnly) {
  const Image scene = test::DrawScene(1, true);
  Image a, b;
  FitVaried(scene, Card32(), {1, 5, 2}, a);
  FitVaried(scene, Card32(), {1, 5, 2}, b);
  EXPECT_EQ(a.rgb, b.rgb);
  for (const Variation& other : {Variation{2, 5, 2}, Variation{1, 6, 2}, Variation{1, 5, 3}}) {
    FitVaried(scene, Card32(), other, b);
    EXPECT_NE(a.rgb, b.rgb);
  }
}

TEST(FitVaried, StaysInsideAnyPicture) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 50}, {50, 1}, {3, 2}, {640, 17}}) {
    const Image scene = test::DrawScene(1, false, width, height);
    for (const auto crop : {ModelCard::Crop::kCenter, ModelCard::Crop::kSquash}) {
      ModelCard card = Card32();
      card.crop = crop;
      for (int copy = 0; copy < 20; ++copy) {
        Image out;
        FitVaried(scene, card, {9, 3, copy}, out);
        ASSERT_EQ(out.rgb.size(), 32U * 32 * 3);
      }
    }
  }
}

TEST(CardText, ReadsBackAsItWasWritten) {
  ModelCard card;
  card.name = "a \"quoted\" name\n\x7f";
  card.description = "größer";
  card.input = "in/put";
  card.width = 48;
  card.height = 32;
  card.color = ModelCard::Color::kBgr;
  card.mean = {0, 103.939F, 1e-3F, 127.5F};
  card.std = {1, 58.4F, 255, 127.5F};
  card.crop = ModelCard::Crop::kSquash;
  card.crop_fraction = 1;
  card.output = "logits";
  card.labels = {"no\\litter", "litter\t"};
  card.positive = 1;
  card.threshold = 0.07;
  const std::string text = CardText(card, {"a note\nin two lines", "another"});
  const Port in{"in/put", DType::kF32, {1, 3, 32, 48}}, out{"logits", DType::kF32, {1, 2}};
  const auto read = ParseCard(text, "card", {}, {in}, {out});
  ASSERT_TRUE(read) << read.error().ToString() << "\n" << text;
  EXPECT_EQ(read->name, card.name);
  EXPECT_EQ(read->description, card.description);
  EXPECT_EQ(read->width, 48);
  EXPECT_EQ(read->height, 32);
  EXPECT_EQ(read->color, ModelCard::Color::kBgr);
  EXPECT_EQ(read->mean, card.mean);
  EXPECT_EQ(read->std, card.std);
  EXPECT_EQ(read->crop, card.crop);
  EXPECT_DOUBLE_EQ(read->crop_fraction, 1);
  EXPECT_EQ(read->labels, card.labels);
  EXPECT_EQ(read->positive, 1);
  EXPECT_DOUBLE_EQ(read->threshold, 0.07);
}

}  // namespace
}  // namespace fogline
