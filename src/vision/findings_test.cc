#include "vision/findings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/text.h"
#include "vision/findings_bytes.h"
#include "vision/findings_json.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

/// One of each kind.
std::vector<Findings> Samples() {
  return {ClassFindings{1, 0.75F, {{"litter", 0.75F}, {"clean", 0.25F}}},
          ClassFindings{},
          BoxFindings{{{"car", 0.875F, 0, 0, 1, 1}, {"dog", 0.5F, 0.2F, 0.4F, 0.6F, 0.6F}}, 3},
          BoxFindings{},
          MaskFindings{{{"road", 0.625F}, {"\xc3\xa9gout", 0.25F}}, {}},
          NumberFindings{{{"count", 12}, {"level", -0.5}}},
          NumberFindings{{{"level", 2.5, "m"}, {"people", 12}}},
          MaskFindings{{{"road", 0.5F}, {"tree", 0.5F}}, {3, 2, {0, 0, 1, 1, 1, 255}}},
          RawFindings{{{"output0", Shape{1, 84, 8400}}, {"n", Shape{}}}}};
}

std::vector<std::byte> Written(const Findings& findings) {
  std::vector<std::byte> bytes;
  WriteFindings(findings, bytes);
  return bytes;
}

std::string Json(const Findings& findings) {
  std::string json;
  AppendFindingsJson(json, findings);
  return json;
}

TEST(Findings, AreReadAsTheyWereWritten) {
  for (const Findings& findings : Samples()) {
    ASSERT_TRUE(CheckFindings(findings));
    const auto bytes = Written(findings);
    const auto read = ParseFindings(bytes);
    ASSERT_TRUE(read) << findings.index() << ": " << read.error().ToString();
    EXPECT_EQ(*read, findings) << findings.index();
    EXPECT_EQ(Written(*read), bytes) << findings.index();
    for (size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(ParseFindings(std::span(bytes).first(length))) << findings.index();
    }
  }
}

/// docs/wire_format.md has these bytes.
TEST(Findings, OfAMaskAreTheseBytes) {
  const MaskFindings mask{{{"road", 0.5F}, {"tree", 0.5F}}, {3, 2, {0, 0, 1, 1, 1, 255}}};
  std::string hex;
  for (const std::byte b : Written(mask)) hex += fmt::format("{:02x} ", static_cast<uint8_t>(b));
  EXPECT_EQ(hex,
            "05 02 04 72 6f 61 64 00 00 00 3f 04 74 72 65 65 00 00 00 3f 03 02 00 01 01 02 ff 00 ");
}

TEST(Findings, AnyBytesGiveFindingsThatMayBeStoredOrAnError) {
  std::mt19937 random(5);
  int read = 0;
  for (const Findings& findings : Samples()) {
    for (int i = 0; i < 3000; ++i) {
      auto bytes = Written(findings);
      for (int k = 0; k < 2; ++k) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      const auto found = ParseFindings(bytes);
      if (!found) continue;
      ++read;
      EXPECT_TRUE(CheckFindings(*found));
      const auto again = ParseFindings(Written(*found));
      ASSERT_TRUE(again);
      EXPECT_EQ(*again, *found);
    }
  }
  EXPECT_GT(read, 0);
}

/// A newer build's kind is no damage: who meets it can tell the two apart.
TEST(Findings, AnUnknownKindIsUnsupported) {
  std::vector<std::byte> bytes{std::byte{7}, std::byte{0}};
  EXPECT_EQ(ParseFindings(bytes).error().code, ErrorCode::kUnsupported);
  bytes[0] = std::byte{3};
  bytes[1] = std::byte{9};  // more numbers than there are bytes
  EXPECT_EQ(ParseFindings(bytes).error().code, ErrorCode::kInvalid);
}

TEST(Findings, OfTooManyBoxesTheSurestAreKeptAndTheOthersCounted) {
  std::vector<FoundBox> boxes;
  for (int i = 0; i < 350; ++i) {
    boxes.push_back({"a", static_cast<float>((i * 3) % 350) / 350, 0.1F, 0.1F, 0.1F, 0.1F});
  }
  const BoxFindings found = SurestOf(boxes);
  ASSERT_EQ(found.boxes.size(), kMaxBoxes);
  EXPECT_EQ(found.cut_off, 50U);
  EXPECT_TRUE(std::ranges::is_sorted(found.boxes, std::greater<>(), &FoundBox::score));
  EXPECT_GE(found.boxes.back().score, 50.0F / 350);
  EXPECT_TRUE(CheckFindings(found));
  EXPECT_FALSE(CheckFindings(BoxFindings{boxes, 0}));
  // 300 boxes of one label: 14 bytes each.
  EXPECT_EQ(Written(found).size(), 1 + 4 + 2 + 2 + 2 + 14 * kMaxBoxes);
}

TEST(Findings, TheLongestFitTheirLimit) {
  BoxFindings boxes;
  MaskFindings mask;
  RawFindings raw;
  NumberFindings numbers;
  const NamedNumber longest{std::string(62, 'x'), 1, "mm"};
  numbers.numbers.assign(kMaxNumbers, longest);
  EXPECT_TRUE(CheckFindings(numbers));
  for (size_t i = 0; i < kMaxBoxes; ++i) {
    std::string label(kMaxFoundText, 'x');
    label.replace(0, 3, std::to_string(100 + i));
    boxes.boxes.push_back({label, 0.5F, 0, 0, 1, 1});
    if (i >= kMaxFound) continue;
    mask.shares.push_back({label, 0.001F});
    raw.tensors.push_back({label, Shape{1, 2, 3, 4, 5, 6, 7, 8}});
  }
  mask.mask = {64, 64, std::vector<uint8_t>(4096)};
  for (size_t i = 0; i < 4096; ++i) mask.mask.cells[i] = i % 2;
  for (const Findings& findings :
       {Findings(boxes), Findings(mask), Findings(raw), Findings(numbers)}) {
    EXPECT_LE(Written(findings).size(), kMaxFindingsBytes);
    EXPECT_TRUE(ParseFindings(Written(findings)));
  }
}

TEST(Findings, NonsenseIsNotStored) {
  const std::string long_text(256, 'x');
  for (const Findings& bad :
       {Findings(ClassFindings{0, 1.5F, {}}), Findings(ClassFindings{0, 0, {{"a", NAN}}}),
        Findings(BoxFindings{{{"a", 0.5F, -0.1F, 0, 1, 1}}, 0}),
        Findings(BoxFindings{{{"a", NAN, 0, 0, 1, 1}}, 0}), Findings(MaskFindings{{{"a", 2}}}),
        Findings(MaskFindings{{{"a", 1}}, {1, 1, {1}}}),
        Findings(MaskFindings{{{"a", 1}}, {65, 1, std::vector<uint8_t>(65)}}),
        Findings(MaskFindings{{{"a", 1}}, {2, 2, {0}}}),
        Findings(MaskFindings{{{long_text, 0.5F}}}), Findings(NumberFindings{{{"a", INFINITY}}}),
        Findings(NumberFindings{{{"\xff", 1}}}), Findings(RawFindings{{{"a", Shape{-1}}}})}) {
    const Status checked = CheckFindings(bad);
    ASSERT_FALSE(checked) << bad.index();
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalid);
  }
}

TEST(Findings, ATextIsCutBetweenCharacters) {
  std::string text(254, 'x');
  text += "\xc3\xa9";
  EXPECT_EQ(FoundText(text), std::string(254, 'x'));
  EXPECT_EQ(FoundText("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_TRUE(IsUtf8(FoundText("\xff\n")));
}

TEST(FindingsJson, HasTheNamesOfTheContract) {
  const auto samples = Samples();
  EXPECT_EQ(Json(samples[0]),
            R"("classes":[{"label":"litter","score":0.75},{"label":"clean","score":0.25}])");
  EXPECT_EQ(Json(samples[1]), "");
  EXPECT_EQ(Json(samples[2]),
            R"("boxes":[{"label":"car","score":0.875,"x":0,"y":0,"w":1,"h":1},)"
            R"({"label":"dog","score":0.5,"x":0.2,"y":0.4,"w":0.6,"h":0.6}],"boxes_cut_off":3)");
  EXPECT_EQ(Json(samples[3]), R"("boxes":[])");
  EXPECT_EQ(Json(MaskFindings{{{"road", 0.625F}}}), R"("shares":[{"label":"road","share":0.625}])");
  EXPECT_EQ(Json(samples[5]),
            R"("numbers":[{"name":"count","value":12},{"name":"level","value":-0.5}])");
  EXPECT_EQ(Json(samples[6]),
            R"("numbers":[{"name":"level","value":2.5,"unit":"m"},{"name":"people","value":12}])");
  EXPECT_EQ(Json(samples[7]),
            R"("shares":[{"label":"road","share":0.5},{"label":"tree","share":0.5}],)"
            R"("mask":{"width":3,"height":2,"runs":[0,2,1,3,255,1]})");
  EXPECT_EQ(Json(samples[8]),
            R"("raw":[{"name":"output0","shape":[1,84,8400]},{"name":"n","shape":[]}])");
}

ModelCard Card(int positive, double threshold) {
  ModelCard card;
  card.labels = {"clean", "litter", "dog"};
  card.positive = positive;
  card.threshold = threshold;
  return card;
}

void ExpectVerdict(const Verdict& verdict, int label, const std::string& name, float score,
                   bool positive) {
  EXPECT_EQ(verdict.label, label);
  EXPECT_EQ(verdict.name, name);
  EXPECT_EQ(verdict.score, score);
  EXPECT_EQ(verdict.positive, positive);
}

TEST(Verdict, OfAClassIsItsLabel) {
  ExpectVerdict(Judge(ClassFindings{1, 0.75F, {}}, Card(1, 0.5)), 1, "litter", 0.75F, true);
  ExpectVerdict(Judge(ClassFindings{0, 0.25F, {}}, Card(1, 0.5)), 0, "clean", 0.25F, false);
  ExpectVerdict(Judge(ClassFindings{2, 0.25F, {}}, Card(-1, 0.5)), 2, "dog", 0.25F, true);
}

TEST(Verdict, OfBoxesIsTheSurestThatCounts) {
  const BoxFindings found{{{"dog", 0.9F, 0, 0, 1, 1},
                           {"litter", 0.5F, 0, 0, 1, 1},
                           {"litter", 0.75F, 0, 0, 1, 1},
                           {"cat", 0.8F, 0, 0, 1, 1}},
                          0};
  ExpectVerdict(Judge(found, Card(1, 0.5)), 1, "litter", 0.75F, true);
  ExpectVerdict(Judge(found, Card(1, 0.8)), 2, "dog", 0.75F, false);
  ExpectVerdict(Judge(found, Card(0, 0.5)), 2, "dog", 0, false);
  ExpectVerdict(Judge(found, Card(-1, 0.5)), 2, "dog", 0.9F, true);
  ExpectVerdict(Judge(BoxFindings{}, Card(-1, 0.5)), -1, "output", 0, true);
  ExpectVerdict(Judge(BoxFindings{}, Card(1, 0)), -1, "output", 0, false);
}

TEST(Verdict, OfAMaskIsTheLargestShareThatCounts) {
  const MaskFindings found{{{"clean", 0.9F}, {"litter", 0.0625F}}};
  ExpectVerdict(Judge(found, Card(1, 0.05)), 1, "litter", 0.0625F, true);
  ExpectVerdict(Judge(found, Card(1, 0.5)), 0, "clean", 0.0625F, false);
  ExpectVerdict(Judge(found, Card(-1, 0.5)), 0, "clean", 0.9F, true);
}

TEST(Verdict, OfWhatNobodyReadsIsNone) {
  ExpectVerdict(Judge(NumberFindings{{{"count", 3}}}, Card(-1, 0.5)), -1, "output", 0, true);
  ExpectVerdict(Judge(RawFindings{}, Card(-1, 0.5)), -1, "output", 0, true);
}

TEST(ReadOutputs, TellsTheLikeliestWhereTheCardAsks) {
  ModelCard card = Card(-1, 0.5);
  card.kind = ModelCard::Kind::kProbabilities;
  Tensor values(DType::kF32, Shape{1, 3});
  for (size_t i = 0; i < 3; ++i) values.as<float>()[i] = 0.25F + 0.25F * static_cast<float>(i == 1);
  const std::vector<Tensor> outputs{values};
  const std::vector<Port> ports{{"scores", DType::kF32, Shape{1, 3}}};
  auto read = ReadOutputs(outputs, ports, 0, card, {});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, Findings(ClassFindings{1, 0.5F, {}}));
  EXPECT_FALSE(SaysMore(*read));
  card.top = 2;
  read = ReadOutputs(outputs, ports, 0, card, {});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, Findings(ClassFindings{1, 0.5F, {{"litter", 0.5F}, {"clean", 0.25F}}}));
  EXPECT_TRUE(SaysMore(*read));
  card.top = 100;
  EXPECT_EQ(std::get<ClassFindings>(*ReadOutputs(outputs, ports, 0, card, {})).top.size(), 3U);
}

TEST(ReadOutputs, OfAnotherKindAreNamedAndNoMore) {
  ModelCard card;
  card.kind = ModelCard::Kind::kOther;
  const std::vector<Tensor> outputs{Tensor(DType::kF32, Shape{1, 6, 10}),
                                    Tensor(DType::kI64, Shape{4})};
  const std::vector<Port> ports{{"boxes", DType::kF32, Shape{1, 6, -1}},
                                {"classes", DType::kI64, Shape{-1}}};
  const auto read = ReadOutputs(outputs, ports, 0, card, {});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, Findings(RawFindings{{{"boxes", Shape{1, 6, 10}}, {"classes", Shape{4}}}}));
}

TEST(ReadOutputs, NumbersHaveTheNamesOfTheCardsLabels) {
  ModelCard card;
  card.kind = ModelCard::Kind::kNumbers;
  card.labels = {"level", "people"};
  Tensor values(DType::kF32, Shape{1, 2});
  values.as<float>()[0] = -0.5F;
  values.as<float>()[1] = 12;
  const std::vector<Tensor> outputs{Tensor(DType::kF32, Shape{1, 3}), values};
  const std::vector<Port> ports{{"features", DType::kF32, Shape{1, 3}},
                                {"numbers", DType::kF32, Shape{1, 2}}};
  const auto read = ReadOutputs(outputs, ports, 1, card, {});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, Findings(NumberFindings{{{"level", -0.5}, {"people", 12}}}));
  EXPECT_EQ(ReadOutputs(outputs, ports, 0, card, {}).error().code, ErrorCode::kConflict);
  values.as<float>()[0] = INFINITY;
  EXPECT_EQ(ReadOutputs(outputs, ports, 1, card, {}).error().code, ErrorCode::kConflict);
  values.as<float>()[0] = 3;
  card.labels.clear();  // then they are called by their places
  EXPECT_EQ(*ReadOutputs(outputs, ports, 1, card, {}),
            Findings(NumberFindings{{{"0", 3}, {"1", 12}}}));
}

}  // namespace
}  // namespace fogline
