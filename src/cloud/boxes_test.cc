// A detector through both halves of the line: wherever it is cut, the same boxes in parts of the
// whole picture, of which the network saw a letterboxed or cropped one.
#include <gtest/gtest.h>

#include "base/file.h"
#include "cloud/test_halves.h"
#include "graph/test_model.h"

namespace fogline {
namespace {

using fogline::test::Drawn;
using fogline::test::Halves;
using fogline::test::TestModel;

constexpr int kWidth = 60, kHeight = 30;

/// Cells of 16 pixels, each a box of one of two classes, sure or not.
TestModel Detector() {
  TestModel m;
  m.Input("x", {"1", "3", "32", "32"});
  m.Conv("x", "conv", 3, 4, 3, 1, 2);
  m.Node("Relu", {"conv"}, {"relu"});
  m.Conv("relu", "head", 4, 7, 3, 1, 8);
  m.Node("Sigmoid", {"head"}, {"y"});
  m.Output("y");
  return m;
}

class Boxes : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto path = dir_.path() / "m.onnx";
    ASSERT_TRUE(WriteFile(path, Detector().Bytes()));
    const std::string card = std::string("[input]\n") + GetParam() +
                             "\n[output]\nlayout = 'fastestdet'\nlabels = ['can', 'bag']\n"
                             "least_score = 0.1\noverlap = 0.9\n"
                             "[verdict]\nleast_count = 2\n";
    ASSERT_TRUE(WriteFile(dir_.path() / "m.toml", card));
    const Status opened = halves_.Open(path);
    ASSERT_TRUE(opened) << opened.error().ToString();
  }

  TempDir dir_;
  Halves halves_;
};

TEST_P(Boxes, AreTheSameWhereverTheNetworkIsCut) {
  const auto edge = halves_.ByTheLine(Drawn(kWidth, kHeight), "edge-only", "");
  ASSERT_TRUE(edge) << edge.error().ToString();
  ASSERT_TRUE(edge->detection->findings);
  const auto& boxes = std::get<BoxFindings>(*edge->detection->findings).boxes;
  ASSERT_GE(boxes.size(), 2U);
  EXPECT_TRUE(edge->detection->positive);
  EXPECT_EQ(edge->detection->label, boxes[0].label);
  for (const auto& [cut, codec] : {std::pair("tensor:relu", "f32"), {"cloud-only", "json"}}) {
    const auto worked = halves_.ByTheLine(Drawn(kWidth, kHeight), cut, codec);
    ASSERT_TRUE(worked) << cut << ": " << worked.error().ToString();
    EXPECT_EQ(worked->detection->label, edge->detection->label);
    EXPECT_EQ(worked->detection->positive, edge->detection->positive);
    ASSERT_TRUE(worked->detection->findings) << cut;
    const auto& found = std::get<BoxFindings>(*worked->detection->findings).boxes;
    ASSERT_EQ(found.size(), boxes.size()) << cut;
    for (size_t i = 0; i < boxes.size(); ++i) {
      EXPECT_EQ(found[i].label, boxes[i].label);
      EXPECT_NEAR(found[i].score, boxes[i].score, 1e-5);
      EXPECT_NEAR(found[i].x, boxes[i].x, 2e-5);  // 16 bits on the wire
      EXPECT_NEAR(found[i].y, boxes[i].y, 2e-5);
      EXPECT_NEAR(found[i].w, boxes[i].w, 2e-5);
      EXPECT_NEAR(found[i].h, boxes[i].h, 2e-5);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, Boxes,
                         ::testing::Values("crop = 'squash'", "crop = 'letterbox'",
                                           "crop = 'letterbox'\nanchor = 'corner'",
                                           "crop = 'center'\ncrop_fraction = 0.9"));

}  // namespace
}  // namespace fogline
