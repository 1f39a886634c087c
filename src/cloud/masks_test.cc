// A mask through both halves of the line: wherever the network is cut, the same shares and the same
// small mask of the whole picture, of which the network saw a letterboxed or cropped one; and what
// nobody reads, kept as files.
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/npy.h"
#include "cloud/worker.h"
#include "edge/mechanism.h"
#include "graph/test_model.h"
#include "vision/placement.h"

namespace fogline {
namespace {

using fogline::testing::TestModel;

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

Image Stripes() {
  Image image{kPictureWidth, kPictureHeight, {}};
  for (int y = 0; y < kPictureHeight; ++y) {
    for (int x = 0; x < kPictureWidth; ++x) {
      for (const int v : {4 * x + y, 255 - 4 * x, (x * y) % 256}) {
        image.rgb.push_back(static_cast<uint8_t>(v));
      }
    }
  }
  return image;
}

class Masks : public ::testing::TestWithParam<const char*> {
 protected:
  void Open(const std::string& card, RawKeeper* raw = nullptr) {
    const auto path = dir_.path() / "m.onnx";
    ASSERT_TRUE(WriteFile(path, Segmenter().Bytes()));
    ASSERT_TRUE(WriteFile(dir_.path() / "m.toml", card));
    auto network = LoadNetwork(path);
    ASSERT_TRUE(network) << network.error().ToString();
    network_.emplace(*std::move(network));
    auto registry = Registry::Open({.folder = dir_.path(), .patience = std::chrono::minutes(5)});
    ASSERT_TRUE(registry) << registry.error().ToString();
    registry_ = *std::move(registry);
    worker_ = std::make_unique<Worker>(*registry_, nullptr, raw);
  }

  Result<Worked> ByTheLine(const std::string& cut, const std::string& codec) {
    MechanismOptions options;
    options.cut = cut;
    options.codec = codec;
    FOGLINE_TRY(const auto mechanism, Mechanism::Make(*network_, options));
    Prepared prepared;
    FOGLINE_CHECK(mechanism->Process(Stripes(), prepared));
    Frame frame;
    frame.device = "cam";
    mechanism->Stamp(frame);
    if (NeedsPictureSize(network_->card) && cut != "edge-only") {
      frame.picture = PictureSize::Of(kPictureWidth, kPictureHeight);
    }
    frame.payloads = prepared.payloads;
    std::vector<std::byte> bytes;
    FOGLINE_CHECK(WriteFrame(frame, bytes));
    return worker_->Work(bytes, "cam");
  }

  TempDir dir_;
  std::optional<Network> network_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Worker> worker_;
};

TEST_P(Masks, AreTheSameWhereverTheNetworkIsCut) {
  ASSERT_NO_FATAL_FAILURE(
      Open(std::string("[input]\n") + GetParam() + "\n[verdict]\nleast_share = 0.1\n"));
  EXPECT_TRUE(network_->contract.guessed);
  const auto edge = ByTheLine("edge-only", "");
  ASSERT_TRUE(edge) << edge.error().ToString();
  ASSERT_TRUE(edge->detection->findings);
  const auto& said = std::get<MaskFindings>(*edge->detection->findings);
  ASSERT_FALSE(said.shares.empty());
  EXPECT_EQ(edge->detection->label, said.shares[0].label);
  EXPECT_TRUE(edge->detection->positive);
  if (network_->card.crop == ModelCard::Crop::kLetterbox) {
    EXPECT_EQ(said.mask.width, 32);
    EXPECT_EQ(said.mask.height, 16);
  }
  for (const auto& [cut, codec] : {std::pair("tensor:relu", "f32"), {"cloud-only", "json"}}) {
    const auto worked = ByTheLine(cut, codec);
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
  ASSERT_TRUE(ByTheLine("edge-only", ""));
  EXPECT_EQ((*keeper)->kept(), 0U);
  const auto worked = ByTheLine("tensor:relu", "f32");
  ASSERT_TRUE(worked) << worked.error().ToString();
  EXPECT_EQ(*worked->detection->findings, Findings(RawFindings{{{"y", Shape{1, 5, 32, 32}}}}));
  EXPECT_EQ((*keeper)->kept(), 1U);
  const auto file = ReadNpy(dir_.path() / "raw" / "cam" / "0000000000000000-000000000000-0-y.npy");
  ASSERT_TRUE(file) << file.error().ToString();
  EXPECT_EQ(file->shape(), (Shape{1, 5, 32, 32}));
}

}  // namespace
}  // namespace fogline
