// A mask through both halves of the line: wherever the network is cut, the same shares and the same
// small mask of the whole picture, of which the network saw a letterboxed or cropped one; and what
// nobody reads, kept as files.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/npy.h"
#include "cloud/test_halves.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::Drawn;
using fogline::test::Halves;
using fogline::test::TestModel;

constexpr int kPictureWidth = 60, kPictureHeight = 30;

/// Scores of five classes, a pixel each.
TestModel Segmenter() {
  TestModel m;
  m.Input("x", {"1", "3", "32", "32"});
  m.Conv("x", "conv", 3, 4, 3, 1, 1);
  m.Node("Relu", {"conv"}, {"relu"});
  m.Conv("relu", "y", 4, 5, 3, 1, 1);
  m.Output("y");
  return m;
}

class Masks : public ::testing::TestWithParam<const char*> {
 protected:
  void Open(const std::string& card, RawKeeper* raw = nullptr) {
    const auto path = dir_.path() / "m.onnx";
    ASSERT_TRUE(WriteFile(path, Segmenter().Bytes()));
    ASSERT_TRUE(WriteFile(dir_.path() / "m.toml", card));
    const Status opened = halves_.Open(path, raw);
    ASSERT_TRUE(opened) << opened.error().ToString();
  }

  TempDir dir_;
  Halves halves_;
};

TEST_P(Masks, AreTheSameWhereverTheNetworkIsCut) {
  ASSERT_NO_FATAL_FAILURE(
      Open(std::string("[input]\n") + GetParam() + "\n[verdict]\nleast_share = 0.1\n"));
  EXPECT_TRUE(halves_.network().contract.guessed);
  const auto edge = halves_.ByTheLine(Drawn(kPictureWidth, kPictureHeight), "edge-only", "");
  ASSERT_TRUE(edge) << edge.error().ToString();
  ASSERT_TRUE(edge->detection->findings);
  const auto& said = std::get<MaskFindings>(*edge->detection->findings);
  ASSERT_FALSE(said.shares.empty());
  EXPECT_EQ(edge->detection->label, said.shares[0].label);
  EXPECT_TRUE(edge->detection->positive);
  if (halves_.network().card.crop == ModelCard::Crop::kLetterbox) {
    EXPECT_EQ(said.mask.width, 32);
    EXPECT_EQ(said.mask.height, 16);
  }
  for (const auto& [cut, codec] : {std::pair("tensor:relu", "f32"), {"cloud-only", "json"}}) {
    const auto worked = halves_.ByTheLine(Drawn(kPictureWidth, kPictureHeight), cut, codec);
    ASSERT_TRUE(worked) << cut << ": " << worked.error().ToString();
    EXPECT_EQ(worked->detection->label, edge->detection->label);
    EXPECT_EQ(worked->detection->positive, edge->detection->positive);
    ASSERT_TRUE(worked->detection->findings) << cut;
    EXPECT_EQ(*worked->detection->findings, Findings(said)) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Masks,
                         ::testing::Values("crop = 'squash'", "crop = 'letterbox'",
                                           "crop = 'letterbox'\nanchor = 'corner'",
                                           "crop = 'center'\ncrop_fraction = 0.9"));

using RawOutputs = Masks;

TEST_F(RawOutputs, AreKeptOfFramesThatTheCloudComputes) {
  auto keeper = RawKeeper::Open({dir_.path() / "raw", 1 << 20});
  ASSERT_TRUE(keeper) << keeper.error().ToString();
  ASSERT_NO_FATAL_FAILURE(Open("[output]\nkind = 'raw'\n", keeper->get()));
  ASSERT_TRUE(halves_.ByTheLine(Drawn(kPictureWidth, kPictureHeight), "edge-only", ""));
  EXPECT_EQ((*keeper)->kept(), 0U);
  const auto worked = halves_.ByTheLine(Drawn(kPictureWidth, kPictureHeight), "tensor:relu", "f32");
  ASSERT_TRUE(worked) << worked.error().ToString();
  EXPECT_EQ(*worked->detection->findings, Findings(RawFindings{{{"y", Shape{1, 5, 32, 32}}}}));
  EXPECT_EQ((*keeper)->kept(), 1U);
  const auto file = ReadNpy(dir_.path() / "raw" / "cam" / "0000000000000000-000000000000-0-y.npy");
  ASSERT_TRUE(file) << file.error().ToString();
  EXPECT_EQ(file->shape(), (Shape{1, 5, 32, 32}));
}

}  // namespace
}  // namespace fogline
