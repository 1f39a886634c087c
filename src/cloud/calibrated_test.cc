// From pictures to an answer where two tensors cross: what calibration finds for a cut is what the
// device codes with and the cloud reads, as well and in as many bytes as the table says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "cloud/worker.h"
#include "codec/calibrate.h"
#include "codec/draft.h"
#include "edge/mechanism.h"
#include "graph/test_model.h"
#include "vision/preprocess.h"

namespace fogline {
namespace {

using fogline::test::SetInts;
using fogline::test::TestModel;

constexpr int kPictureSide = 16, kPictures = 24;

/// Two branches that both cross, one of which the classes hardly hear of. With channels last it
/// crosses as TensorFlow's networks have it.
TestModel PooledModel(bool last) {
  TestModel m;
  m.Input("x", last ? std::vector<std::string>{"1", "16", "16", "3"}
                    : std::vector<std::string>{"1", "3", "16", "16"});
  const auto turned = [&](const std::string& from, const std::string& to, bool to_last) {
    if (!last) return from;
    SetInts(m.Node("Transpose", {from}, {to}), "perm",
            to_last ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 3, 1, 2});
    return to;
  };
  m.Weight("faint_w", {1}, 0.05F);
  const std::string planes = turned("x", "planes", false);
  m.Conv(planes, "loud_conv", 3, 8).Conv(planes, "faint_conv", 3, 8);
  m.Node("Relu", {turned("loud_conv", "loud_last", true)}, {"loud"});
  m.Node("Relu", {turned("faint_conv", "faint_last", true)}, {"faint"});
  m.Node("Mul", {"faint", "faint_w"}, {"fainter"});
  m.Node("Add", {"loud", "fainter"}, {"both"});
  m.Conv(turned("both", "both_planes", false), "maps", 8, 6);
  m.Node("GlobalAveragePool", {"maps"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"y"});
  m.Output("y");
  return m;
}

/// Blots of colour on a slope.
Image Squares(uint32_t seed) {
  Image image{kPictureSide, kPictureSide, {}};
  const auto at = [&](uint32_t n) { return static_cast<int>(seed * n % kPictureSide); };
  for (int y = 0; y < kPictureSide; ++y) {
    for (int x = 0; x < kPictureSide; ++x) {
      const int dx = x - at(37), dy = y - at(61);
      for (uint32_t c = 0; c < 3; ++c) {
        const bool inside = dx * dx + dy * dy < 5 + at(11);
        image.rgb.push_back(static_cast<uint8_t>(
            inside ? seed * (40 + 30 * c) & 0xFFU : static_cast<uint32_t>(9 * x + 5 * y) & 0xFFU));
      }
    }
  }
  return image;
}

class CalibratedCut : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteFile(dir_.path() / "m.onnx", PooledModel(GetParam()).Bytes()));
    auto network = LoadNetwork(dir_.path() / "m.onnx");
    ASSERT_TRUE(network) << network.error().ToString();
    network_.emplace(*std::move(network));
    ASSERT_TRUE(network_->contract.takes_pictures());
    cut_ = FindCut(network_->model, "loud,faint").value();
    ASSERT_EQ(cut_.tensors.size(), 2U);
    for (uint32_t i = 0; i < kPictures; ++i) {
      FitToInput(Squares(7 * i + 3), network_->card, set_.pictures.emplace_back());
    }
    options_.cuts = {cut_};
    options_.levels = {4, 7};
    options_.threads = 2;
  }

  static const CalibratedPair& Row(const BundleContents& contents, const std::string& codec) {
    return *std::ranges::find(contents.pairs, codec, &CalibratedPair::codec);
  }

  TempDir dir_;
  std::optional<Network> network_;
  Cut cut_;
  CalibrationSet set_;
  CalibrateOptions options_;
};

INSTANTIATE_TEST_SUITE_P(Channels, CalibratedCut, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "Last" : "First"; });

TEST_P(CalibratedCut, ALineCodesWithWhatWasFound) {
  const auto contents = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  ASSERT_EQ(contents->tensors.size(), 2U);
  for (const QuantParams& tensor : contents->tensors) {
    EXPECT_EQ(tensor.layout.channels_last, GetParam());
  }
  ASSERT_TRUE(WriteFile(dir_.path() / "m.bundle", WriteBundle(*contents)));
  auto registry = Registry::Open({.folder = dir_.path(), .patience = std::chrono::minutes(5)});
  ASSERT_TRUE(registry) << registry.error().ToString();
  Worker worker(**registry);
  const auto label = [&](Mechanism& mechanism, const Image& picture, double* bytes) {
    Prepared prepared;
    EXPECT_TRUE(mechanism.Process(picture, prepared));
    Frame frame;
    frame.device = "cam";
    mechanism.Stamp(frame);
    frame.payloads = prepared.payloads;
    for (const Payload& payload : frame.payloads) {
      if (bytes != nullptr) *bytes += static_cast<double>(payload.bytes.size()) / kPictures;
    }
    std::vector<std::byte> message;
    EXPECT_TRUE(WriteFrame(frame, message));
    const auto worked = worker.Work(message, "cam");
    EXPECT_TRUE(worked) << worked.error().ToString();
    return worked ? worked->label : -2;
  };
  MechanismOptions how;
  const auto whole = Mechanism::Make(*network_, how);
  ASSERT_TRUE(whole) << whole.error().ToString();
  how.cut = cut_.name;
  for (const std::string codec : {"q4", "q7"}) {
    how.codec = codec;
    const auto split = Mechanism::Make(*network_, how);
    ASSERT_TRUE(split) << split.error().ToString();
    double bytes = 0, same = 0;
    std::vector<int32_t> seen;
    for (const Image& picture : set_.pictures) {
      seen.push_back(label(**whole, picture, nullptr));
      same += label(**split, picture, &bytes) == seen.back() ? 1.0 / kPictures : 0;
    }
    EXPECT_NE(std::ranges::min(seen), std::ranges::max(seen)) << "nothing to tell apart";
    const CalibratedPair& row = Row(*contents, codec);
    EXPECT_NEAR(bytes / row.bytes_mean, 1, 0.3) << codec;  // tables of all, not of a half
    EXPECT_GE(same, *row.agreement - 0.13) << codec;
    EXPECT_GE(same, codec == "q7" ? 0.95 : 0.8);
  }
}

TEST_P(CalibratedCut, WhoIsStoppedGoesOnToTheSameBundle) {
  options_.cuts = {cut_, FindCut(network_->model, "loud,fainter").value(),
                   FindCut(network_->model, "both").value()};
  const auto whole = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(whole) << whole.error().ToString();
  const auto draft = dir_.path() / "m.bundle.part";
  const Sha256 key = DraftKey(*network_, set_, options_, "");
  options_.keep = [&](size_t cuts, const BundleContents& found) -> Status {
    FOGLINE_CHECK(SaveDraft(draft, key, cuts, found));
    return Fail(ErrorCode::kCancelled, "", "stopped");
  };
  // Stopped behind every cut in turn, also behind the one of two tensors.
  for (size_t stops = 1; stops <= options_.cuts.size(); ++stops) {
    ASSERT_FALSE(Calibrate(*network_, set_, options_));
    auto kept = LoadDraft(draft, key);
    ASSERT_TRUE(kept) << kept.error().ToString();
    ASSERT_EQ(kept->cuts, stops);
    options_.cuts_done = kept->cuts;
    options_.found = std::move(kept->found);
  }
  options_.keep = nullptr;
  const auto rest = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(rest) << rest.error().ToString();
  EXPECT_EQ(WriteBundle(*rest), WriteBundle(*whole));
}

}  // namespace
}  // namespace fogline
