// The library as a user has it: its headers and the shared library alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fogline/codec.h"
#include "fogline/cost.h"
#include "fogline/halves.h"
#include "fogline/plan.h"

namespace {

using ::testing::HasSubstr;

const std::string kSource = FOGLINE_SOURCE_DIR;
const std::string kModel = kSource + "/models/litter.onnx";
const std::string kBundle = kSource + "/models/litter.bundle";
const std::string kPicture = kSource + "/models/demo/walk_01.jpg";

const fogline::Model& Litter() {
  static const fogline::Model model = fogline::Model::Load(kModel).value();
  return model;
}

std::vector<fogline::TensorView> Views(const std::vector<fogline::Tensor>& tensors) {
  std::vector<fogline::TensorView> views;
  for (const fogline::Tensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

TEST(Api, HalvesFindWhatTheWholeFindsAtEveryCut) {
  const fogline::Picture picture = Litter().ReadPicture(kPicture).value();
  const fogline::Session whole = PieceOf(Litter(), {}, {}).value().Open().value();
  const auto wanted = Litter().Judge(whole.Run({picture.input.view()}).value(), picture).value();
  EXPECT_EQ(wanted.kind, "classes");
  const auto cuts = Litter().Cuts().value();
  ASSERT_GT(cuts.size(), 10U);
  EXPECT_EQ(cuts.front().mechanism, fogline::Mechanism::kCloudOnly);
  EXPECT_EQ(cuts.back().mechanism, fogline::Mechanism::kEdgeOnly);
  for (size_t i = 1; i + 1 < cuts.size(); i += 7) {
    const fogline::Halves halves = Split(Litter(), cuts[i]).value();
    const auto crossing = halves.edge.Open().value().Run({picture.input.view()}).value();
    const auto outputs = halves.cloud.Open().value().Run(Views(crossing)).value();
    const auto found = Litter().Judge(outputs, picture).value();
    EXPECT_EQ(found.label, wanted.label) << cuts[i].name;
    EXPECT_NEAR(found.score, wanted.score, 1e-4) << cuts[i].name;
  }
  EXPECT_TRUE(CheckSplit(Litter(), Litter().FindCut("split10").value()).value().holds);
}

TEST(Api, ErrorsAreValuesThatNameWhatIsAtFault) {
  const auto missing = fogline::Model::Load("/nowhere/a.onnx");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, fogline::ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("/nowhere/a.onnx"));
  EXPECT_THROW((void)fogline::Model::Load("/nowhere/a.onnx").value(), fogline::Failure);

  const auto cuts = Litter().Cuts().value();
  EXPECT_EQ(Split(Litter(), cuts.front()).error().code, fogline::ErrorCode::kUsage);
  fogline::Cut foreign = cuts[3];
  foreign.id ^= 1;
  EXPECT_EQ(Split(Litter(), foreign).error().code, fogline::ErrorCode::kConflict);
  EXPECT_EQ(Litter().FindCut("4711").error().code, fogline::ErrorCode::kNotFound);

  const fogline::Session whole = PieceOf(Litter(), {}, {}).value().Open().value();
  fogline::Tensor small = fogline::Tensor::Make(fogline::DType::kF32, {1, 3, 8, 8}).value();
  fogline::TensorView view = small.view();
  view.bytes -= 4;
  EXPECT_EQ(whole.Run({view}).error().code, fogline::ErrorCode::kInvalid);
  view = small.view();
  view.data = nullptr;
  EXPECT_EQ(whole.Run({view}).error().code, fogline::ErrorCode::kUsage);
  view = small.view();
  view.shape[1] = 1;
  view.bytes /= 3;
  EXPECT_THAT(whole.Run({view}).error().ToString(), HasSubstr("'image'"));
  view.dtype = fogline::DType::kF64;
  EXPECT_EQ(whole.Run({view}).error().where, "image");
  EXPECT_FALSE(whole.Run({}));
  EXPECT_FALSE(Litter().Judge({}, fogline::Picture{}));
  EXPECT_FALSE(fogline::Tensor::Make(fogline::DType::kF32, {1, -1}));
  EXPECT_FALSE(fogline::Tensor::Make(fogline::DType::kF32, std::vector<int64_t>(9, 1)));
  EXPECT_FALSE(fogline::Tensor::Make(static_cast<fogline::DType>(200), {1}));
}

TEST(Api, CodecsGoThereAndBackFromManyThreads) {
  const auto calibration = fogline::Calibration::Load(Litter(), kBundle).value();
  EXPECT_GT(calibration.pairs().size(), 10U);
  EXPECT_THAT(calibration.Svg(), HasSubstr("<svg"));
  const fogline::Cut cut = Litter().FindCut("split13").value();
  const fogline::Session edge = Split(Litter(), cut).value().edge.Open().value();
  const auto picture = Litter().ReadPicture(kPicture).value();
  const auto tensor = edge.Run({picture.input.view()}).value().front();
  const auto codec = fogline::Codec::Make("q4", Litter(), cut, 0, calibration).value();
  const auto code = codec.Encode(tensor.view()).value();
  EXPECT_LT(code.size(), tensor.bytes() / 4);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(codec.Encode(tensor.view()).value(), code);
        EXPECT_TRUE(codec.Decode(code.data(), code.size()));
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(codec.Decode(code.data(), code.size() / 2));
  EXPECT_FALSE(codec.Decode(nullptr, 4));
  EXPECT_EQ(fogline::Codec::Make("q4", cut.tensors[0]).error().code, fogline::ErrorCode::kUsage);
  EXPECT_EQ(fogline::Codec::Make("q4", Litter(), cut, 1, calibration).error().code,
            fogline::ErrorCode::kUsage);
  const auto exact = fogline::Codec::Make("f32", {"t", tensor.dtype(), tensor.shape()}).value();
  const auto raw = exact.Encode(tensor.view()).value();
  const auto back = exact.Decode(raw.data(), raw.size()).value();
  EXPECT_EQ(std::memcmp(back.data(), tensor.data(), tensor.bytes()), 0);
}

TEST(Api, CalibratingCanBeStopped) {
  fogline::CalibrateOptions options;
  options.most_pictures = 4;
  options.cuts = {"split13"};
  int told = 0;
  options.progress = [&](double) { return ++told < 3; };
  const auto stopped = Calibrate(Litter(), kSource + "/models/demo", options);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, fogline::ErrorCode::kCancelled);
  EXPECT_EQ(told, 3);
}

TEST(Api, APlanIsTheBestOfItsCandidates) {
  fogline::PlanRequest request;
  request.edge = "raspberry-pi-3b-plus";
  request.cloud = "t2.micro";
  request.link = "4g";
  request.strict = true;
  const fogline::Plan plan = MakePlan(Litter(), request).value();
  const fogline::Candidate best = plan.best();
  double least = 1e300;
  for (const fogline::Candidate& c : plan.candidates()) {
    if (c.runnable && c.violates.empty()) least = std::min(least, c.objective);
  }
  EXPECT_DOUBLE_EQ(best.objective, least);
  EXPECT_LE(plan.lower_bound(), best.objective * (1 + 1e-9));
  EXPECT_THAT(plan.Json(), HasSubstr("\"" + best.route + "\""));
  EXPECT_THAT(plan.Html(), HasSubstr("<svg"));
  EXPECT_THAT(plan.Policy().value(), HasSubstr("\"routes\""));
  request.max_latency_ms = 0.001;
  EXPECT_EQ(MakePlan(Litter(), request).error().code, fogline::ErrorCode::kConflict);
  request.edge = "raspberry-pie";
  EXPECT_THAT(MakePlan(Litter(), request).error().ToString(), HasSubstr("did you mean"));
}

TEST(Api, AFleetIsPlannedFromItsScenario) {
  const auto fleet = fogline::PlanFleet(kSource + "/scenarios/million.toml").value();
  double sum = 0;
  for (const fogline::FleetChoice& choice : fleet.groups) sum += choice.devices;
  EXPECT_DOUBLE_EQ(sum, fleet.devices);
  EXPECT_GT(fleet.euro_month, 0);
  EXPECT_FALSE(fogline::PlanFleetText("[prices]\nnonsense = 1\n"));
}

TEST(Api, NumpyFilesAreReadAndWritten) {
  const std::string file = ::testing::TempDir() + "/fogline_api_test.npy";
  fogline::Tensor tensor = fogline::Tensor::Make(fogline::DType::kI64, {2, 3}).value();
  for (int i = 0; i < 6; ++i) tensor.as<int64_t>()[i] = i;
  ASSERT_TRUE(WriteNpy(file, tensor.view()));
  const fogline::Tensor back = fogline::ReadNpy(file).value();
  EXPECT_EQ(back.shape(), tensor.shape());
  EXPECT_EQ(back.as<int64_t>()[5], 5);
  std::filesystem::remove(file);
  EXPECT_THAT(fogline::ReadNpy(kModel).error().ToString(), HasSubstr(kModel));
}

}  // namespace
