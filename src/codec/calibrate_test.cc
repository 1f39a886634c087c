#include "codec/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "codec/parallel.h"
#include "engine/shapes.h"

namespace fogline {
namespace {

/// Pictures of a coloured disc on a slope: something for a network to tell apart.
Image Disc(int size, uint32_t seed) {
  Image image{size, size, {}};
  const int centre_x = static_cast<int>(seed * 37 % static_cast<uint32_t>(size));
  const int centre_y = static_cast<int>(seed * 61 % static_cast<uint32_t>(size));
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const int dx = x - centre_x, dy = y - centre_y;
      const bool inside = dx * dx + dy * dy < size * size / 16;
      for (uint32_t c = 0; c < 3; ++c) {
        image.rgb.push_back(
            static_cast<uint8_t>(inside ? (seed * (40 + 30 * c)) & 0xFFU : (x + y) / 2 & 0xFF));
      }
    }
  }
  return image;
}

class CalibrateTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path path =
        std::filesystem::path(FOGLINE_SHARED_DATA) / "models/mobilenet_v2_1.0_160.onnx";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared models at " << path;
    auto model = Model::Load(path, EngineShapes());
    ASSERT_TRUE(model) << model.error().ToString();
    model_ = std::make_unique<Model>(*std::move(model));
    card_ = LoadCard(path, model_->inputs(), model_->outputs()).value();
    options_.levels = {3, 6};
    options_.qualities = {75};
    options_.threads = 2;
  }

  Result<BundleContents> Run(int pictures) {
    CalibrationSet set;
    for (int i = 0; i < pictures; ++i) set.pictures.push_back(Disc(160, 3 * i + 1));
    return Calibrate(*model_, card_, set, options_);
  }

  std::unique_ptr<Model> model_;
  ModelCard card_;
  CalibrateOptions options_;
};

const CalibratedPair* Find(const BundleContents& contents, std::string_view cut,
                           std::string_view codec) {
  const auto found = std::ranges::find_if(contents.pairs, [&](const CalibratedPair& pair) {
    return pair.cut_name == cut && pair.codec == codec;
  });
  return found == contents.pairs.end() ? nullptr : &*found;
}

TEST_F(CalibrateTest, FindsCodecsThatKeepWhatTheModelSays) {
  options_.cuts = {FindCut(*model_, "input").value(), FindCut(*model_, "add10").value(),
                   FindCut(*model_, "output").value()};
  const auto contents = Run(12);
  ASSERT_TRUE(contents) << contents.error().ToString();
  for (const char* cut : {"input", "add10", "output"}) {
    for (const char* codec : {"json", "f32", "f16", "q3", "q6"}) {
      EXPECT_NE(Find(*contents, cut, codec), nullptr) << cut << " " << codec;
    }
  }
  EXPECT_NE(Find(*contents, "input", "jpeg:75"), nullptr);
  EXPECT_EQ(Find(*contents, "add10", "jpeg:75"), nullptr);
  const CalibratedPair& coarse = *Find(*contents, "add10", "q3");
  const CalibratedPair& fine = *Find(*contents, "add10", "q6");
  EXPECT_LT(coarse.bytes_mean, fine.bytes_mean);
  EXPECT_GT(coarse.relative_error, fine.relative_error);
  EXPECT_LT(fine.bytes_mean, 8000);
  EXPECT_GE(fine.bytes_p95, fine.bytes_mean);
  EXPECT_EQ(Find(*contents, "add10", "f32")->top1_agreement, 1.0);
  EXPECT_FALSE(fine.top1_accuracy);

  // What it wrote is what both sides load and code with.
  const auto bundle = Bundle::Parse(WriteBundle(*contents), "bundle");
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  EXPECT_EQ(bundle->pairs().size(), contents->pairs.size());
  const Cut& cut = options_.cuts[1];
  const auto codec = MakeCodec({CodecKind::kQuant, 6}, cut.tensors[0], &*bundle, cut.id);
  ASSERT_TRUE(codec) << codec.error().ToString();
  Tensor tensor(DType::kF32, cut.tensors[0].shape), back;
  std::ranges::fill(tensor.as<float>(), 0.25F);
  std::vector<std::byte> code;
  ASSERT_TRUE((*codec)->Encode(tensor.view(), code));
  ASSERT_TRUE((*codec)->Decode(code, back));
}

TEST_F(CalibrateTest, AFewPicturesAreEnoughToCodeWith) {
  options_.cuts = {FindCut(*model_, "add10").value()};
  EXPECT_FALSE(Run(0));
  for (const int pictures : {1, 3}) {
    const auto contents = Run(pictures);
    ASSERT_TRUE(contents) << contents.error().ToString();
    EXPECT_EQ(contents->images, pictures);
    EXPECT_NE(Find(*contents, "add10", "q6"), nullptr);
    EXPECT_TRUE(Bundle::Parse(WriteBundle(*contents), "bundle"));
  }
}

TEST_F(CalibrateTest, PicturesAllAlikeLeaveNothingUndefined) {
  options_.cuts = {FindCut(*model_, "add10").value()};
  CalibrationSet set;
  set.pictures.assign(4, Disc(160, 5));
  set.labels.assign(4, 7);
  const auto contents = Calibrate(*model_, card_, set, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  const CalibratedPair* row = Find(*contents, "add10", "q3");
  ASSERT_NE(row, nullptr);
  EXPECT_TRUE(std::isfinite(row->relative_error));
  EXPECT_TRUE(row->top1_accuracy);
}

TEST_F(CalibrateTest, AsksTheUsersMetric) {
  options_.cuts = {FindCut(*model_, "add10").value()};
  options_.levels = {4};
  size_t asked = 0;
  options_.metric = [&](const auto& whole, const auto& split) -> Result<double> {
    EXPECT_EQ(whole.size(), split.size());
    for (const auto& outputs : split) EXPECT_EQ(outputs.size(), 1U);
    return static_cast<double>(++asked);
  };
  const auto contents = Run(4);
  ASSERT_TRUE(contents) << contents.error().ToString();
  EXPECT_EQ(asked, contents->pairs.size());
  EXPECT_TRUE(Find(*contents, "add10", "q4")->user_metric);
}

TEST(ParallelFor, DoesEachOnceAndStopsAtAFailure) {
  std::vector<int> seen(1000, 0);
  ASSERT_TRUE(ParallelFor(seen.size(), 4, [&](size_t i, int) -> Status {
    ++seen[i];
    return {};
  }));
  EXPECT_TRUE(std::ranges::all_of(seen, [](int n) { return n == 1; }));
  const Status failed = ParallelFor(1000, 4, [&](size_t i, int) -> Status {
    if (i == 17) return Fail(ErrorCode::kInvalid, "x", "no");
    return {};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().where, "x");
}

}  // namespace
}  // namespace fogline
