#include "codec/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "base/file.h"
#include "base/parallel.h"
#include "codec/calibration.h"
#include "codec/draft.h"
#include "codec/fit.h"
#include "codec/quant_codec.h"
#include "codec/segment.h"
#include "engine/shapes.h"
#include "graph/channel_axis.h"
#include "vision/network.h"
#include "vision/preprocess.h"

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
    return Calibrate(Net(), set, options_);
  }

  Network Net() const {
    ModelCard card = card_;
    ModelContract contract = MakeContract(*model_, card);
    return {{}, *model_, std::move(card), std::move(contract)};
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
  const auto contents = Calibrate(Net(), set, options_);
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

TEST_F(CalibrateTest, WhatCutsShareIsMadeOnceAndChangesNoBit) {
  const std::vector<Cut> cuts{FindCut(*model_, "add6").value(), FindCut(*model_, "add10").value(),
                              FindCut(*model_, "output").value()};
  options_.levels = {4};
  options_.cuts = cuts;
  const auto together = Run(4);
  ASSERT_TRUE(together) << together.error().ToString();
  BundleContents apart = *together;
  apart.pairs.clear();
  apart.tensors.clear();
  options_.kept_bytes = 1;  // nor does it matter what is kept
  for (const Cut& cut : cuts) {
    options_.cuts = {cut};
    const auto alone = Run(4);
    ASSERT_TRUE(alone) << alone.error().ToString();
    apart.pairs.insert(apart.pairs.end(), alone->pairs.begin(), alone->pairs.end());
    apart.tensors.insert(apart.tensors.end(), alone->tensors.begin(), alone->tensors.end());
  }
  EXPECT_EQ(WriteBundle(apart), WriteBundle(*together));
}

TEST_F(CalibrateTest, WhoIsStoppedGoesOnToTheSameBundle) {
  options_.cuts = {FindCut(*model_, "add6").value(), FindCut(*model_, "add10").value(),
                   FindCut(*model_, "output").value()};
  const auto whole = Run(4);
  ASSERT_TRUE(whole) << whole.error().ToString();

  const TempDir folder;
  const auto path = folder.path() / "x.bundle.part";
  const Sha256 key = HashSha256({});
  options_.keep = [&](size_t cuts, const BundleContents& found) -> Status {
    FOGLINE_CHECK(SaveDraft(path, key, cuts, found));
    if (cuts == 2) return Fail(ErrorCode::kCancelled, "", "stopped");
    return {};
  };
  ASSERT_FALSE(Run(4));
  auto draft = LoadDraft(path, key);
  ASSERT_TRUE(draft) << draft.error().ToString();
  EXPECT_EQ(draft->cuts, 2U);
  options_.keep = nullptr;
  options_.cuts_done = draft->cuts;
  options_.found = std::move(draft->found);
  const auto rest = Run(4);
  ASSERT_TRUE(rest) << rest.error().ToString();
  EXPECT_EQ(WriteBundle(*rest), WriteBundle(*whole));
}

TEST_F(CalibrateTest, ADraftIsOfOneCalibrationOnly) {
  CalibrationSet set;
  for (uint32_t i = 0; i < 3; ++i) set.pictures.push_back(Disc(160, i));
  options_.cuts = {FindCut(*model_, "add10").value()};
  const auto key = [&] { return DraftKey(Net(), set, options_, ""); };
  const Sha256 own = key();
  EXPECT_EQ(key(), own);
  set.pictures[1].rgb[7] ^= 1;
  EXPECT_NE(key(), own);
  set.pictures[1].rgb[7] ^= 1;
  set.labels = {1, 2, 3};
  EXPECT_NE(key(), own);
  set.labels = {};
  options_.levels = {3};
  EXPECT_NE(key(), own);
  options_.levels = {3, 6};
  card_.mean[0] += 1;
  EXPECT_NE(key(), own);
  card_.mean[0] -= 1;
  EXPECT_NE(DraftKey(Net(), set, options_, "python3 map.py"), own);

  const TempDir folder;
  const auto path = folder.path() / "x.part";
  EXPECT_EQ(LoadDraft(path, own).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(SaveDraft(path, own, 0, {}));
  EXPECT_TRUE(LoadDraft(path, own));
  EXPECT_EQ(LoadDraft(path, HashSha256({})).error().code, ErrorCode::kConflict);
  auto bytes = ReadFile(path).value();
  bytes[bytes.size() / 2] ^= std::byte{1};
  ASSERT_TRUE(WriteFile(path, bytes));
  EXPECT_EQ(LoadDraft(path, own).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(WriteFile(path, std::string_view("FOG")));
  EXPECT_EQ(LoadDraft(path, own).error().code, ErrorCode::kInvalid);
}

TEST_F(CalibrateTest, TellsHowFarItIs) {
  options_.cuts = {FindCut(*model_, "add10").value(), FindCut(*model_, "output").value()};
  std::vector<size_t> told;
  options_.progress = [&](size_t done, size_t total, std::string_view) {
    EXPECT_EQ(total, 100U);
    told.push_back(done);
  };
  ASSERT_TRUE(Run(4));
  ASSERT_GT(told.size(), 20U);
  EXPECT_EQ(told.back(), 100U);
  EXPECT_LT(told.front(), 20U);
}

/// Other people's networks.
class CalibrateWild : public testing::Test {
 protected:
  void Load(const std::string& name) {
    const auto path = std::filesystem::path(FOGLINE_SHARED_DATA) / "models/wild" / name;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "no shared models at " << path;
    auto network = LoadNetwork(path);
    ASSERT_TRUE(network) << network.error().ToString();
    network_ = std::make_unique<Network>(*std::move(network));
    for (uint32_t i = 0; i < 4; ++i) {
      set_.pictures.emplace_back();
      FitToInput(Disc(256, 3 * i + 1), network_->card, set_.pictures.back());
    }
    options_.levels = {4};
    options_.qualities = {75};
    options_.threads = 2;
  }

  /// Sets the first cut inside the network of one tensor that is so.
  void CutAtFirst(const std::function<bool(const Cut&)>& wanted) {
    const auto cuts = ListCuts(network_->model).value();
    for (const Cut& cut : cuts) {
      if (cut.tensors.size() != 1 || cut.edge_nodes == 0 || cut.cloud_madds == 0) continue;
      if (!wanted(cut)) continue;
      options_.cuts = {cut};
      return;
    }
    FAIL() << "no such cut";
  }

  std::unique_ptr<Network> network_;
  CalibrationSet set_;
  CalibrateOptions options_;
};

TEST_F(CalibrateWild, ChannelsAreWhereTheGraphHasThem) {
  Load("mb_tract.onnx");
  if (IsSkipped()) return;
  const std::vector<int> axes = ChannelAxes(network_->model);
  CutAtFirst([&](const Cut& cut) {
    return axes[static_cast<size_t>(cut.activations[0])] == 3 && cut.tensors[0].shape.rank() == 4;
  });
  if (HasFatalFailure()) return;
  const Port port = options_.cuts[0].tensors[0];
  const auto contents = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  ASSERT_EQ(contents->tensors.size(), 1U);
  EXPECT_TRUE(contents->tensors[0].layout.channels_last);
  EXPECT_EQ(contents->tensors[0].layout.channels, port.shape[3]);

  // Both sides read so from the bundle, and agree.
  const auto bundle = Bundle::Parse(WriteBundle(*contents), "bundle");
  ASSERT_TRUE(bundle) << bundle.error().ToString();
  EXPECT_TRUE(bundle->Find(options_.cuts[0].id, port.name)->layout.channels_last);
  const auto before = Segment::Before(network_->model, options_.cuts[0]);
  const Tensor input = InputTensor(set_.pictures[0], network_->card);
  const Tensor crossing = before->Run({&input, 1}).value()[0];
  const auto codec = MakeCodec({CodecKind::kQuant, 4}, port, &*bundle, options_.cuts[0].id);
  std::vector<std::byte> code, other_code;
  Tensor back;
  ASSERT_TRUE((*codec)->Encode(crossing.view(), code));
  ASSERT_TRUE((*codec)->Decode(code, back));

  // The wrong axes cost more at the same step.
  CoefficientSample sample(MakeLayout(port.shape, false).value());
  ASSERT_TRUE(sample.Add(crossing.as<float>().data()));
  QuantParams wrong = FitMeans(1, port, sample);
  wrong.levels[4] = FitLevel(wrong, sample, contents->tensors[0].levels.at(4).step);
  ASSERT_TRUE((*MakeQuantCodec(wrong, 4, 0))->Encode(crossing.view(), other_code));
  EXPECT_LT(static_cast<double>(code.size()), 0.95 * static_cast<double>(other_code.size()));
}

TEST_F(CalibrateWild, WhereTheGraphDoesNotSayTheFewerBytesDecide) {
  Load("nanodet_hpc.onnx");
  if (IsSkipped()) return;
  const std::vector<int> axes = ChannelAxes(network_->model);
  CutAtFirst([&](const Cut& cut) {
    return axes[static_cast<size_t>(cut.activations[0])] < 0 && cut.tensors[0].shape.rank() > 2;
  });
  if (HasFatalFailure()) return;
  const Port port = options_.cuts[0].tensors[0];
  const auto before = Segment::Before(network_->model, options_.cuts[0]);
  ASSERT_TRUE(before) << before.error().ToString();
  const auto bytes = [&](bool channels_last) {
    CoefficientSample sample(MakeLayout(port.shape, channels_last).value());
    std::vector<Tensor> tensors;
    for (const Image& picture : set_.pictures) {
      const Tensor input = InputTensor(picture, network_->card);
      tensors.push_back(before->Run({&input, 1}).value()[0]);
      EXPECT_TRUE(sample.Add(tensors.back().as<float>().data()));
    }
    QuantParams params = FitMeans(1, port, sample);
    const auto step = static_cast<float>(WeightedRms(params, sample) / 4);
    params.levels[4] = FitLevel(params, sample, step);
    std::vector<std::byte> code;
    const auto codec = std::move(MakeQuantCodec(params, 4, 0).value());
    for (const Tensor& tensor : tensors) EXPECT_TRUE(codec->Encode(tensor.view(), code));
    return code.size();
  };
  const auto contents = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  ASSERT_EQ(contents->tensors.size(), 1U);
  EXPECT_EQ(contents->tensors[0].layout.channels_last, bytes(true) < bytes(false));
}

TEST_F(CalibrateWild, EightBitNumbersCrossAsTheyAreOrInLevels) {
  Load("mbv2_quant_nns.onnx");
  if (IsSkipped()) return;
  options_.levels = {2, 8};
  CutAtFirst([](const Cut& cut) {
    return cut.tensors[0].dtype == DType::kU8 || cut.tensors[0].dtype == DType::kI8;
  });
  if (HasFatalFailure()) return;
  const auto contents = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  ASSERT_EQ(contents->tensors.size(), 1U);
  EXPECT_EQ(contents->tensors[0].tensor.dtype, options_.cuts[0].tensors[0].dtype);
  const std::string& cut = options_.cuts[0].name;
  const auto bytes = static_cast<double>(options_.cuts[0].bytes);
  for (const char* codec : {"json", "f32", "f16"}) {
    const auto* pair = Find(*contents, cut, codec);
    ASSERT_NE(pair, nullptr) << codec;
    EXPECT_EQ(pair->agreement, 1.0) << codec;
    EXPECT_EQ(pair->relative_error, 0.0) << codec;
    if (pair->codec != "json") {
      EXPECT_EQ(pair->bytes_mean, bytes);
    }
  }
  const auto *coarse = Find(*contents, cut, "q2"), *fine = Find(*contents, cut, "q8");
  EXPECT_LT(coarse->bytes_mean, fine->bytes_mean);
  EXPECT_LT(fine->bytes_mean, bytes);
}

TEST_F(CalibrateWild, ADetectorsLevelsHaveAgreements) {
  Load("ultraface_slim.onnx");
  if (IsSkipped()) return;
  options_.levels = {2, 6};
  CutAtFirst([](const Cut& cut) { return cut.edge_madds > cut.cloud_madds; });
  if (HasFatalFailure()) return;
  const auto contents = Calibrate(*network_, set_, options_);
  ASSERT_TRUE(contents) << contents.error().ToString();
  const std::string& cut = options_.cuts[0].name;
  EXPECT_FALSE(Find(*contents, cut, "q2")->top1_agreement);
  EXPECT_EQ(Find(*contents, cut, "f32")->agreement, 1.0);
  EXPECT_LT(*Find(*contents, cut, "q2")->agreement, 0.95);
  EXPECT_GT(*Find(*contents, cut, "q6")->agreement, *Find(*contents, cut, "q2")->agreement);
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
