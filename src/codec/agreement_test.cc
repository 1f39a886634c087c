#include "codec/agreement.h"

#include <gtest/gtest.h>

namespace fogline {
namespace {

Findings Class(int label) { return ClassFindings{label, 0.9F, {}}; }
Findings Found(std::vector<FoundBox> boxes) { return BoxFindings{std::move(boxes), 0}; }

TEST(Agreement, OfClassesIsTheShareOfTheSame) {
  const std::vector<Findings> whole{Class(1), Class(2), Class(3), Class(4)};
  EXPECT_EQ(AgreementOf(whole, whole), 1);
  EXPECT_EQ(AgreementOf(whole, std::vector<Findings>{Class(1), Class(2), Class(3), Class(0)}),
            0.75);
  // What cannot be read agrees with nothing.
  EXPECT_EQ(
      AgreementOf(whole, std::vector<Findings>{RawFindings{}, Class(2), RawFindings{}, Class(0)}),
      0.25);
}

TEST(Agreement, OfBoxesIsHowManyAreFoundAgainFirst) {
  const FoundBox dog{"dog", 0.9F, 0.1F, 0.1F, 0.2F, 0.2F}, cat{"cat", 0.8F, 0.5F, 0.5F, 0.2F, 0.2F};
  const std::vector<Findings> whole{Found({dog, cat}), Found({})};
  EXPECT_EQ(AgreementOf(whole, whole), 1);
  // A little elsewhere and less sure is the same; what is less sure than it costs nothing.
  FoundBox moved = dog;
  moved.x += 0.02F;
  moved.score = 0.1F;
  const FoundBox ghost{"dog", 0.05F, 0.7F, 0.1F, 0.2F, 0.2F};
  EXPECT_EQ(AgreementOf(whole, std::vector<Findings>{Found({cat, moved, ghost}), Found({})}), 1);
  EXPECT_EQ(AgreementOf(whole, std::vector<Findings>{Found({cat}), Found({})}), 0.5);
  EXPECT_EQ(AgreementOf(whole, std::vector<Findings>{RawFindings{}, Found({})}), 0);
  FoundBox sure = ghost;
  sure.score = 0.95F;
  EXPECT_EQ(AgreementOf(whole, std::vector<Findings>{Found({sure, dog, cat}), Found({})}), 0.75);
}

MaskFindings Cells(std::vector<std::string> labels, std::vector<uint8_t> cells) {
  MaskFindings found;
  for (std::string& label : labels) found.shares.push_back({std::move(label), 0.5F});
  found.mask = {4, static_cast<uint8_t>(cells.size() / 4), std::move(cells)};
  return found;
}

TEST(Agreement, OfMasksIsTheMeanOverlapOfTheWholeModelsClasses) {
  const std::vector<Findings> whole{Cells({"road", "tree"}, {0, 0, 0, 1, 0, 0, 255, 1})};
  EXPECT_EQ(AgreementOf(whole, whole), 1);
  // The order of shares says nothing.
  const auto of = [&](const Findings& other) {
    return AgreementOf(whole, std::vector<Findings>{other}).value_or(-1);
  };
  EXPECT_EQ(of(Cells({"tree", "road"}, {1, 1, 1, 0, 1, 1, 255, 0})), 1);
  // Road: 4 of 5; tree: 2 of 3. A class that is not there costs those whose place it takes.
  EXPECT_DOUBLE_EQ(of(Cells({"road", "tree"}, {0, 0, 0, 1, 0, 1, 255, 1})), (0.8 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(of(Cells({"road", "car"}, {0, 0, 0, 1, 0, 0, 255, 1})), 0.5);
  EXPECT_EQ(of(Cells({"road", "tree"}, {1, 1, 1, 0, 1, 1, 255, 0})), 0);
  EXPECT_EQ(of(RawFindings{}), 0);
  EXPECT_EQ(of(MaskFindings{}), 0);
}

TEST(Agreement, OfWhatCannotBeComparedIsNone) {
  EXPECT_FALSE(AgreementOf({}, {}));
  const std::vector<Findings> raw{RawFindings{}}, none{Found({})};
  EXPECT_FALSE(AgreementOf(raw, raw));
  EXPECT_FALSE(AgreementOf(none, none));
}

}  // namespace
}  // namespace fogline
