// What becomes of candidates: suppression, places in the picture, and numbers that are none.
#include "vision/boxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "vision/box_layout.h"
#include "vision/coco_names.h"
#include "vision/preprocess.h"
#include "vision/suppress.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

using testing::HasSubstr;

const std::vector<Port> kPicture{{"x", DType::kF32, Shape{1, 3, 64, 96}}};

Result<ModelCard> CardOf(const std::string& toml, const std::vector<Port>& outputs,
                         const std::vector<Port>& inputs = kPicture) {
  return ParseCard(toml, "m.toml", ".", inputs, outputs);
}

std::vector<Port> Rows(const Shape& shape) { return {{"y", DType::kF32, shape}}; }

/// Outputs of a network that suppresses itself: corners in pixels, score, class.
struct Found {
  float left, top, right, bottom, score, label;
};
Result<BoxFindings> Read(const std::vector<Found>& found, const ModelCard& card,
                         const Placement& place = {}) {
  Tensor rows(DType::kF32, Shape{1, static_cast<int64_t>(found.size()), 6});
  std::copy_n(&found.data()->left, 6 * found.size(), rows.as<float>().data());
  const std::vector<Tensor> outputs{rows};
  return ReadBoxes(outputs, Rows(rows.shape()), card, place);
}

ModelCard NmsCard(const std::string& more = "") {
  auto card = CardOf("[output]\nkind = 'boxes'\nlayout = 'nms'\n" + more, Rows({1, 300, 6}));
  EXPECT_TRUE(card) << card.error().ToString();
  return *card;
}

TEST(Suppress, KeepsTheSurestOfWhatOverlapsWithinItsClass) {
  const std::vector<BoxCandidate> found{{0, 0, 10, 10, 0.9F, 1},
                                        {1, 0, 11, 10, 0.8F, 1},  // 90 of 110
                                        {1, 0, 11, 10, 0.7F, 2},  // of another class
                                        {5, 0, 15, 10, 0.6F, 1},  // 50 of 150
                                        {20, 20, 30, 30, 0.5F, 1}};
  EXPECT_EQ(Suppress(found, 0.5, 10).kept,
            (std::vector<BoxCandidate>{found[0], found[2], found[3], found[4]}));
  EXPECT_EQ(Suppress(found, 0.3, 10).kept,
            (std::vector<BoxCandidate>{found[0], found[2], found[4]}));
  const Suppressed two = Suppress(found, 0.5, 2);
  EXPECT_EQ(two.kept.size(), 2U);
  EXPECT_EQ(two.cut_off, 2U);
}

/// The same as comparing every pair.
TEST(Suppress, OfAnyBoxesNoTwoOfAClassOverlapMore) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> part(0, 1);
  for (int round = 0; round < 120; ++round) {
    std::vector<BoxCandidate> found;
    const float size = std::pow(10.0F, -3 * part(random)), spread = size < 0.05F ? 0.2F : 1.5F;
    const double limit = std::array{0.0, 0.05, 0.3, 0.45, 0.5, 0.7, 0.95}[random() % 7];
    for (int i = 0; i < 250; ++i) {
      const float x = spread * part(random) - 0.1F, y = spread * part(random) - 0.1F;
      found.push_back({x, y, x + 0.001F + size * part(random), y + 0.001F + size * part(random),
                       1 - static_cast<float>(i) / 300, static_cast<int>(random() % 3) - 1});
    }
    std::vector<BoxCandidate> kept;
    for (const BoxCandidate& c : found) {
      const bool free = std::ranges::none_of(kept, [&](const BoxCandidate& k) {
        return k.label == c.label && Overlap(k, c) > static_cast<float>(limit);
      });
      if (free) kept.push_back(c);
    }
    EXPECT_EQ(Suppress(found, limit, 1000).kept, kept) << round;
  }
}

/// Of equals those that came first, in their order.
TEST(BoxCandidates, AreSortedAsAStableSortWould) {
  std::mt19937 random(3);
  for (const size_t count : {1U, 5000U, 9000U, 30'000U}) {
    BoxCandidates found(0);
    std::vector<BoxCandidate> all;
    for (size_t i = 0; i < count; ++i) {
      const auto score = static_cast<float>(random() % 64) / 64;
      all.push_back({0, 0, 1, static_cast<float>(i + 1), score, 0});
      found.Add(all.back());
    }
    std::ranges::stable_sort(all, std::greater<>(), &BoxCandidate::score);
    all.resize(std::min(count, BoxCandidates::kMost));
    EXPECT_EQ(found.Take(), all) << count;
  }
}

TEST(BoxCandidates, AMillionCostLittleMemoryAndTheSurestStay) {
  BoxCandidates found(0.1);
  std::vector<float> scores;
  std::mt19937 random(3);
  for (int i = 0; i < 1'000'000; ++i) {
    const float score = std::uniform_real_distribution<float>(0, 1)(random);
    scores.push_back(score);
    found.Add({0, 0, 1, 1, score, i});
  }
  std::ranges::sort(scores, std::greater<>());
  const auto taken = found.Take();
  ASSERT_EQ(taken.size(), BoxCandidates::kMost);
  for (size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(taken[i].score, scores[i]);
}

TEST(ReadBoxes, LeavesOutWhatHasNoSizeOrNoPlace) {
  const float inf = std::numeric_limits<float>::infinity();
  const auto read = Read({{10, 10, 10, 20, 0.9F, 0},      // no width
                          {20, 10, 10, 20, 0.9F, 0},      // less than none
                          {-inf, 0, inf, 10, 0.9F, 0},    // no end
                          {200, 200, 300, 300, 0.9F, 0},  // outside
                          {-1e30F, -1e30F, 1e30F, 1e30F, 0.8F, 7},
                          {0, 0, 48, 32, 0.7F, 1e9F},  // of no class
                          {0, 0, 48, 32, 0.7F, -1},
                          {48, 32, 120, 90, 0.6F, 3},  // beyond the edges
                          {0, 0, 48, 32, 0.2F, 0}},    // less sure than is told
                         NmsCard());
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(
      *read,
      (BoxFindings{{{"class 7", 0.8F, 0, 0, 1, 1}, {"class 3", 0.6F, 0.5F, 0.5F, 0.5F, 0.5F}}, 0}));
}

TEST(ReadBoxes, TheModelIsAtFaultForNaNAndForScoresThatAreNone) {
  const auto nan = Read({{0, 0, 10, 10, NAN, 0}}, NmsCard());
  ASSERT_FALSE(nan);
  EXPECT_EQ(nan.error().code, ErrorCode::kConflict);
  EXPECT_THAT(nan.error().message, HasSubstr("NaN"));
  const auto seven = Read({{0, 0, 10, 10, 7, 0}}, NmsCard());
  ASSERT_FALSE(seven);
  EXPECT_EQ(seven.error().code, ErrorCode::kConflict);
  EXPECT_THAT(seven.error().message, HasSubstr("scores = \"logits\""));
  const auto rounded = Read({{0, 0, 10, 10, 1.0000001F, 0}}, NmsCard());
  ASSERT_TRUE(rounded);
  EXPECT_EQ(rounded->boxes.at(0).score, 1);
}

TEST(ReadBoxes, TellsAsManyAsTheCardSays) {
  std::vector<Found> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back({0, 0, 10, 10, 0.3F + 0.003F * static_cast<float>(i), 0});
  }
  const auto read = Read(many, NmsCard("most = 150\nleast_score = 0.4"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->boxes.size(), 150U);
  EXPECT_EQ(read->cut_off, 16U);
  EXPECT_FLOAT_EQ(read->boxes.front().score, 0.897F);
}

/// Edges of what is white in a fitted picture, as a network would find them.
Found WhitePart(const Image& fitted) {
  Found found{1e9F, 1e9F, -1e9F, -1e9F, 0.9F, 0};
  for (int y = 0; y < fitted.height; ++y) {
    for (int x = 0; x < fitted.width; ++x) {
      if (fitted.rgb[static_cast<size_t>(3 * (y * fitted.width + x))] < 128) continue;
      found.left = std::min(found.left, static_cast<float>(x));
      found.top = std::min(found.top, static_cast<float>(y));
      found.right = std::max(found.right, static_cast<float>(x + 1));
      found.bottom = std::max(found.bottom, static_cast<float>(y + 1));
    }
  }
  return found;
}

TEST(ReadBoxes, PlacesAreThoseInThePictureHoweverItWasFitted) {
  const std::string ways[] = {
      "crop = 'squash'", "crop = 'letterbox'", "crop = 'letterbox'\nanchor = 'corner'\npad = 0",
      "crop = 'center'\ncrop_fraction = 1", "crop = 'center'\ncrop_fraction = 0.8"};
  const std::pair<int, int> sizes[] = {{400, 300}, {300, 400}, {1000, 200}, {96, 64}, {30, 20}};
  for (const std::string& way : ways) {
    const auto card =
        CardOf("[output]\nkind='boxes'\nlayout='nms'\n[input]\n" + way, Rows({1, 300, 6}));
    ASSERT_TRUE(card) << card.error().ToString();
    for (const auto& [width, height] : sizes) {
      SCOPED_TRACE(way + " of " + std::to_string(width) + "x" + std::to_string(height));
      Image picture{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height))};
      const int left = width * 45 / 100, right = width * 55 / 100;
      const int top = height * 40 / 100, bottom = height * 60 / 100;
      for (int y = top; y < bottom; ++y) {
        const auto from = picture.rgb.begin() + 3 * (y * width + left);
        std::fill(from, from + 3 * (right - left), uint8_t{255});
      }
      Image fitted;
      FitToInput(picture, *card, fitted);
      ASSERT_EQ(fitted.width, 96);
      ASSERT_EQ(fitted.height, 64);
      ASSERT_EQ(fitted.rgb.size(), 96U * 64 * 3);
      const auto read = Read({WhitePart(fitted)}, *card, PlacementOf(width, height, *card));
      ASSERT_TRUE(read);
      ASSERT_EQ(read->boxes.size(), 1U);
      const FoundBox& box = read->boxes[0];
      // To a pixel of the network's input.
      const Placement place = PlacementOf(width, height, *card);
      const double x_near = 1.01 / (96 * place.width), y_near = 1.01 / (64 * place.height);
      EXPECT_NEAR(box.x, left / static_cast<double>(width), x_near);
      EXPECT_NEAR(box.y, top / static_cast<double>(height), y_near);
      EXPECT_NEAR(box.x + box.w, right / static_cast<double>(width), x_near);
      EXPECT_NEAR(box.y + box.h, bottom / static_cast<double>(height), y_near);
    }
  }
}

TEST(FitToInput, ALetterboxIsPaddedAllAround) {
  const auto card =
      CardOf("[input]\ncrop = 'letterbox'\npad = 7\n[output]\nkind = 'raw'", Rows({1, 5}));
  ASSERT_TRUE(card) << card.error().ToString();
  const Image picture{20, 64, std::vector<uint8_t>(20 * 64 * 3, 200)};
  Image fitted;
  FitToInput(picture, *card, fitted);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 96; ++x) {
      const bool inside = x >= 38 && x < 58;
      ASSERT_EQ(fitted.rgb[static_cast<size_t>(3 * (y * 96 + x))], inside ? 200 : 7)
          << x << " " << y;
    }
  }
}

TEST(Card, ALayoutThatDoesNotFitIsRefusedWithTheShapesThatWould) {
  const auto error = [](const std::string& output, const Shape& shape) {
    const auto card = CardOf("[output]\n" + output, Rows(shape));
    return card ? "" : card.error().message;
  };
  EXPECT_THAT(error("kind = 'boxes'\nlayout = 'yolox'", {1, 100, 85}),
              testing::AllOf(HasSubstr("whose outputs are 1xNx(5+C)"), HasSubstr("N is 126"),
                             HasSubstr("these are 1x100x85")));
  EXPECT_THAT(error("kind = 'boxes'", {1, 100, 3}), HasSubstr("'output.layout' is missing"));
  EXPECT_THAT(error("layout = 'yolo'", {1, 126, 85}), HasSubstr("\"yolov5\", \"yolov8\""));
  EXPECT_THAT(error("kind = 'logits'\nlayout = 'yolox'", {1, 126, 85}), HasSubstr("\"boxes\""));
  EXPECT_THAT(error("layout = 'ssd'", {1, 126, 85}), HasSubstr("'output.strides'"));
  EXPECT_THAT(error("layout = 'yolox'\nlabels = ['a', 'b']", {1, 126, 85}),
              HasSubstr("tell 80 classes apart"));
  EXPECT_THAT(error("layout = 'yolox'\nmost = 301", {1, 126, 85}), HasSubstr("300"));
  EXPECT_EQ(error("layout = 'yolox'\nlabels = ['a', 'b']", {1, 126, 7}), "");
  EXPECT_EQ(error("layout = 'yolox'\nlabels = ['a', 'b']", {1, -1, -1}), "");
}

TEST(Card, ALayoutIsGuessedWhereNothingElseLooksLikeIt) {
  const auto layout = [](const std::vector<Port>& outputs, const std::string& toml = "") {
    const auto card = CardOf(toml, outputs);
    EXPECT_TRUE(card) << card.error().ToString();
    if (!card || !card->boxes.layout) return std::string();
    EXPECT_EQ(card->kind, ModelCard::Kind::kBoxes);
    return std::string(NameOf(*card->boxes.layout)) + (card->boxes.guessed ? "" : " said");
  };
  EXPECT_EQ(layout(Rows({1, 126, 85})), "yolox");
  EXPECT_EQ(layout(Rows({1, 378, 85})), "yolov5");
  EXPECT_EQ(layout(Rows({1, 84, 126})), "yolov8");
  // Candidate by candidate: 80 classes are COCO's, one class is nothing else; YOLOX has 5 more.
  EXPECT_EQ(layout(Rows({1, 126, 84})), "yolov8");
  EXPECT_EQ(layout(Rows({1, 126, 5})), "yolov8");
  EXPECT_EQ(layout(Rows({1, 126, 25})), "yolox");
  EXPECT_EQ(layout(Rows({1, 126, 25}), "[output]\nlayout = 'yolov8'"), "yolov8 said");
  EXPECT_EQ(layout(Rows({1, 300, 6})), "nms");
  EXPECT_EQ(layout(Rows({1, 100, 85})), "");
  EXPECT_EQ(layout(Rows({1, 126, 85}), "[output]\nkind = 'raw'"), "");
  EXPECT_EQ(layout(Rows({1, 126, 85}), "[output]\nlayout = 'yolov5'"), "yolov5 said");
  EXPECT_EQ(layout(Rows({1, 85, 4, 6})), "fastestdet");
  EXPECT_EQ(layout(Rows({1, 21, 4, 6})), "");  // a mask looks so
  // What is usual for the layout, unless the card says otherwise.
  const auto usual = CardOf("", Rows({1, 126, 85}));
  EXPECT_EQ(usual->crop, ModelCard::Crop::kLetterbox);
  EXPECT_EQ(usual->color, ModelCard::Color::kBgr);
  EXPECT_EQ(usual->std[0], 1);
  const auto said =
      CardOf("[input]\ncolor = 'rgb'\nstd = 255\ncrop = 'squash'", Rows({1, 126, 85}));
  EXPECT_EQ(said->crop, ModelCard::Crop::kSquash);
  EXPECT_EQ(said->color, ModelCard::Color::kRgb);
  EXPECT_EQ(said->std[2], 255);
}

TEST(CocoNames, OfAsManyClassesAsCocoHas) {
  const auto names = CocoNames(BoxLayout::kYolox, 80);
  ASSERT_EQ(names.size(), 80U);
  EXPECT_EQ(names[0], "person");
  EXPECT_EQ(names[79], "toothbrush");
  EXPECT_THAT(CocoNames(BoxLayout::kYolox, 79), testing::IsEmpty());
  EXPECT_THAT(CocoNames(BoxLayout::kYolox, 90), testing::IsEmpty());
  // By id: 1 is a person, 12 nothing, 13 a stop sign, 90 a toothbrush.
  const auto ids = CocoNames(BoxLayout::kSsd, 90);
  ASSERT_EQ(ids.size(), 90U);
  EXPECT_EQ(ids[0], "person");
  EXPECT_EQ(ids[10], "fire hydrant");
  EXPECT_EQ(ids[11], "class 11");
  EXPECT_EQ(ids[12], "stop sign");
  EXPECT_EQ(ids[89], "toothbrush");
}

/// No labels at all is something else than labels that are none.
TEST(Card, AnEmptyListOfLabelsMeansNumbers) {
  const auto numbers = CardOf("[output]\nlabels = []", Rows({1, 126, 85}));
  ASSERT_TRUE(numbers) << numbers.error().ToString();
  ASSERT_EQ(numbers->labels.size(), 80U);
  EXPECT_EQ(numbers->LabelOf(7), "class 7");
  EXPECT_THAT(CardOf("", Rows({1, 126, 85}))->labels, testing::IsEmpty());
}

TEST(Verdict, OfBoxesByTheRulesOfTheCard) {
  const auto verdict = [](const std::string& rules) {
    const auto card =
        CardOf("[output]\nlayout = 'yolox'\nlabels = ['car', 'dog', 'person']\n[verdict]\n" + rules,
               Rows({1, 126, 8}));
    EXPECT_TRUE(card) << card.error().ToString();
    const BoxFindings found{{{"dog", 0.9F, 0, 0, 0.2F, 0.2F},
                             {"person", 0.8F, 0.4F, 0.5F, 0.2F, 0.4F},
                             {"person", 0.6F, 0.8F, 0.1F, 0.1F, 0.1F}},
                            0};
    return Judge(found, *card);
  };
  const auto expect = [](const Verdict& said, int label, const char* name, float score,
                         bool positive) {
    EXPECT_EQ(said.label, label);
    EXPECT_EQ(said.name, name);
    EXPECT_EQ(said.score, score);
    EXPECT_EQ(said.positive, positive);
  };
  expect(verdict("classes = ['person']"), 2, "person", 0.8F, true);
  expect(verdict("classes = ['person', 'dog']"), 1, "dog", 0.9F, true);
  expect(verdict("classes = ['car']"), 1, "dog", 0, false);
  expect(verdict("classes = ['person']\nleast_count = 2"), 2, "person", 0.8F, true);
  expect(verdict("classes = ['person']\nleast_count = 3"), 2, "person", 0.8F, false);
  expect(verdict("classes = ['person']\nleast_count = 2\nleast_score = 0.7"), 2, "person", 0.8F,
         false);
  // Where a box stands counts: the middle of its lower edge.
  expect(verdict("region = [[0.4, 0.85], [0.6, 0.85], [0.6, 1], [0.4, 1]]"), 2, "person", 0.8F,
         true);
  expect(verdict("region = [[0.4, 0.5], [0.6, 0.5], [0.6, 0.8], [0.4, 0.8]]"), 1, "dog", 0, false);
  const auto error = [](const std::string& rules) {
    const auto card =
        CardOf("[output]\nlayout = 'yolox'\nlabels = ['car', 'dog', 'person']\n[verdict]\n" + rules,
               Rows({1, 126, 8}));
    return card ? "" : card.error().message;
  };
  EXPECT_THAT(error("classes = ['persons']"), HasSubstr("did you mean 'person'"));
  EXPECT_THAT(error("region = [[0, 0], [1, 1]]"), HasSubstr("three corners"));
  EXPECT_THAT(error("region = [[0, 0], [1, 1], [0, 2]]"), HasSubstr("three corners"));
  EXPECT_THAT(error("least_count = 0"), HasSubstr("1 to 300"));
}

}  // namespace
}  // namespace fogline
