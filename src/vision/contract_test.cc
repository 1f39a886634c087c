// Every kind of input and output that networks have, through the contract, and pictures of those
// kinds through preprocessing. src/cloud/kinds_test.cc runs them on both sides of the line.
#include "vision/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/half.h"
#include "engine/session.h"
#include "graph/cut.h"
#include "graph/test_model.h"
#include "vision/network.h"
#include "vision/preprocess.h"
#include "vision/verdict.h"

namespace fogline {
namespace {

using fogline::test::TestModel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kHalf = onnx::TensorProto::FLOAT16;
constexpr int kInt = onnx::TensorProto::INT64;

/// "3 CHW 32x16 batch 1" or the error.
std::string Answer(const std::vector<Port>& inputs, const PictureHint& hint = {}) {
  const auto found = FindPicture(inputs, hint);
  if (!found) return found.error().message;
  return fmt::format("{} {} {} {}x{} batch {}", found->tensor, found->channels,
                     found->channels_last ? "HWC" : "CHW", found->width, found->height,
                     found->batched ? std::to_string(found->batch) : "none");
}
std::string Answer(DType dtype, const Shape& shape, const PictureHint& hint = {}) {
  return Answer({{"x", dtype, shape}}, hint);
}

TEST(PictureInput, EveryLayoutOfOneThreeAndFourChannels) {
  const DType f32 = DType::kF32;
  EXPECT_EQ(Answer(f32, {1, 3, 16, 32}), "x 3 CHW 32x16 batch 1");
  EXPECT_EQ(Answer(f32, {-1, 3, -1, -1}), "x 3 CHW 0x0 batch 1");
  EXPECT_EQ(Answer(f32, {1, 16, 32, 3}), "x 3 HWC 32x16 batch 1");
  EXPECT_EQ(Answer(f32, {8, 3, 16, 32}), "x 3 CHW 32x16 batch 8");
  EXPECT_EQ(Answer(f32, {1, 1, 28, 28}), "x 1 CHW 28x28 batch 1");
  EXPECT_EQ(Answer(f32, {4, 28, 28, 1}), "x 1 HWC 28x28 batch 4");
  EXPECT_EQ(Answer(f32, {1, 4, 16, 32}), "x 4 CHW 32x16 batch 1");
  EXPECT_EQ(Answer(f32, {1, 16, 32, 4}), "x 4 HWC 32x16 batch 1");
  EXPECT_EQ(Answer(DType::kU8, {16, 32, 3}), "x 3 HWC 32x16 batch none");
  EXPECT_EQ(Answer(DType::kF16, {3, 16, 32}), "x 3 CHW 32x16 batch none");
  EXPECT_EQ(Answer(f32, {1, 28, 28}, {.tensor = "", .grey = true}), "x 1 CHW 28x28 batch none");
  EXPECT_EQ(Answer(f32, {28, 28, 1}, {.tensor = "x", .grey = false}), "x 1 HWC 28x28 batch none");
}

TEST(PictureInput, WhatIsNoPictureIsSaidByName) {
  EXPECT_THAT(Answer(DType::kI64, {1, 128}), HasSubstr("takes 'x' int64 1x128, not a picture"));
  EXPECT_THAT(Answer(DType::kF64, {1, 3, 16, 16}), HasSubstr("float64"));
  EXPECT_THAT(Answer(DType::kF32, {1, 1, 1, 512}), HasSubstr("not a picture"));
  EXPECT_THAT(Answer(DType::kF32, {0, 3, 16, 16}), HasSubstr("not a picture"));
  EXPECT_THAT(Answer(DType::kF32, {1, 3, 9000, 9000}), HasSubstr("not a picture"));
  // A sequence of features looks like a grey picture: only the card can tell.
  EXPECT_THAT(Answer(DType::kF32, {1, 128, 768}), HasSubstr("say color = \"grey\""));
  EXPECT_THAT(Answer({}), HasSubstr("takes no input"));
  EXPECT_THAT(Answer(DType::kF32, {1, 3, 16, 16}, {.tensor = "y", .grey = false}),
              HasSubstr("'y', which its card names"));
}

TEST(PictureInput, OfSeveralTheOneInColour) {
  const Port color{"image", DType::kF32, {1, 3, 32, 32}}, mask{"mask", DType::kF32, {1, 1, 32, 32}};
  EXPECT_EQ(Answer({mask, color}), "image 3 CHW 32x32 batch 1");
  EXPECT_EQ(Answer({mask, color}, {.tensor = "mask", .grey = false}), "mask 1 CHW 32x32 batch 1");
  EXPECT_THAT(Answer({color, {"other", DType::kF32, {1, 3, 32, 32}}}),
              HasSubstr("several could be the picture; name one with tensor = \"image\""));
}

TEST(ClassesByShape, ListsAndNothingElse) {
  const auto classes = [](const Shape& shape, DType dtype = DType::kF32, int64_t batch = 1) {
    PictureInput picture;
    picture.batch = batch;
    return ClassesByShape({"y", dtype, shape}, picture);
  };
  EXPECT_EQ(classes({1, 1000}), 1000U);
  EXPECT_EQ(classes({1, 1000, 1, 1}), 1000U);
  EXPECT_EQ(classes({1, 1, 1, 10}), 10U);
  EXPECT_EQ(classes({10}), 10U);
  EXPECT_EQ(classes({1, 10}, DType::kF16), 10U);
  EXPECT_EQ(classes({4, 10}, DType::kF32, 4), 10U);
  EXPECT_EQ(classes({4, 10}), 0U);
  EXPECT_EQ(classes({1, 1}), 0U);  // one number tells nothing apart
  EXPECT_EQ(classes({1, 10}, DType::kI64), 0U);
  EXPECT_EQ(classes({1, 84, 8400}), 0U);
  EXPECT_EQ(classes({1, 1, 224, 224}), 0U);
  EXPECT_EQ(classes({}), 0U);
}

/// A picture of one line whose colours are easy to follow.
Image Line() { return {2, 1, {10, 20, 30, 200, 100, 0}}; }

/// The card of one input, as text says.
ModelCard CardOfPort(const std::string& toml, DType dtype, const Shape& shape) {
  auto card = ParseCard(toml, "m", ".", {{"x", dtype, shape}}, {{"y", DType::kF32, {1, 2}}});
  EXPECT_TRUE(card) << card.error().ToString();
  return card ? *card : ModelCard{};
}

template <typename T>
std::vector<T> Normalised(const ModelCard& card) {
  Tensor out(card.dtype, card.input_shape());
  Normalise(Line(), card, out);
  return {out.as<T>().begin(), out.as<T>().end()};
}

TEST(Normalise, GreyIsASumOfTheColours) {
  const std::string plain = "[input]\ntensor = 'x'\nsize = [1, 2]\nmean = 0\nstd = 1\n";
  // As Pillow's Image.convert("L").
  const Shape open{1, 1, -1, -1};
  EXPECT_THAT(Normalised<float>(CardOfPort(plain, DType::kF32, open)), ElementsAre(18, 118));
  EXPECT_THAT(Normalised<float>(CardOfPort(plain + "color = 'grey709'", DType::kF32, open)),
              ElementsAre(19, 114));
  EXPECT_THAT(Normalised<uint8_t>(CardOfPort(plain, DType::kU8, {-1, -1, 1})),
              ElementsAre(18, 118));
  EXPECT_THAT(Normalised<float>(CardOfPort("[input]\nsize = [1, 2]\nmean = [18]\nstd = [2.0]",
                                           DType::kF32, open)),
              ElementsAre(0, 50));
}

TEST(Normalise, AlphaIsOpaqueAndChannelsLieWhereTheNetworkWantsThem) {
  const std::string plain = "[input]\nsize = [1, 2]\nmean = 0\nstd = 1\n";
  EXPECT_THAT(Normalised<uint8_t>(CardOfPort(plain, DType::kU8, {1, -1, -1, 4})),
              ElementsAre(10, 20, 30, 255, 200, 100, 0, 255));
  EXPECT_THAT(Normalised<uint8_t>(CardOfPort(plain + "color = 'bgr'", DType::kU8, {4, -1, -1})),
              ElementsAre(30, 0, 20, 100, 10, 200, 255, 255));
  EXPECT_THAT(Normalised<uint8_t>(CardOfPort(plain, DType::kU8, {-1, -1, 3})),
              ElementsAre(10, 20, 30, 200, 100, 0));
}

TEST(Normalise, HalvesAreTheFloatsRounded) {
  const std::string toml = "[input]\nsize = [1, 2]\nmean = [1, 2, 3]\nstd = [7, 9, 11]\n";
  const auto floats = Normalised<float>(CardOfPort(toml, DType::kF32, {1, 3, -1, -1}));
  const auto halves = Normalised<uint16_t>(CardOfPort(toml, DType::kF16, {1, 3, -1, -1}));
  ASSERT_EQ(halves.size(), floats.size());
  for (size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(halves[i], ToHalf(floats[i])) << i;
}

TEST(Normalise, EveryRowOfABatchIsThePicture) {
  const std::string plain = "[input]\nsize = [1, 2]\nmean = 0\nstd = 1\n";
  EXPECT_THAT(
      Normalised<uint8_t>(CardOfPort(plain, DType::kU8, {3, -1, -1, 3})),
      ElementsAre(10, 20, 30, 200, 100, 0, 10, 20, 30, 200, 100, 0, 10, 20, 30, 200, 100, 0));
}

TEST(Card, ColoursConstantsAndKinds) {
  const std::vector<Port> inputs{{"x", DType::kF32, {1, 1, 32, 32}}, {"iou", DType::kF32, {1}}};
  const std::vector<Port> outputs{{"y", DType::kF32, {1, 20, 6}}};
  const auto error = [&](const std::string& toml) {
    const auto card = ParseCard(toml, "m", ".", inputs, outputs);
    return card ? "" : card.error().message;
  };
  EXPECT_THAT(error("[input]\ncolor = 'rgb'"), HasSubstr("takes one channel"));
  EXPECT_THAT(error("[input]\nmean = [1, 2, 3]"), HasSubstr("a number, or 1 of them"));
  EXPECT_THAT(error("[constants]\niuo = 1"), HasSubstr("did you mean 'iou'"));
  EXPECT_THAT(error("[constants]\niou = 'x'"), HasSubstr("'constants.iou' must be a number"));
  EXPECT_THAT(error("[output]\nkind = 'box'"), HasSubstr("\"boxes\""));
  const auto card =
      ParseCard("[constants]\niou = [0.5, 1]\n[output]\nkind = 'boxes'", "m", ".", inputs, outputs);
  ASSERT_TRUE(card) << card.error().ToString();
  EXPECT_THAT(card->constants.at("iou"), ElementsAre(0.5, 1));
  EXPECT_EQ(card->kind, ModelCard::Kind::kBoxes);
}

/// A network in a file, with a card where there is one.
class Contracts : public ::testing::Test {
 protected:
  /// Takes `image` 1x3x8x8, averages it over space and gives `scores` 1x2.
  static TestModel Small() {
    TestModel m;
    m.Input("image", {"1", "3", "8", "8"}).Conv("image", "c", 3, 2);
    m.Node("GlobalAveragePool", {"c"}, {"pooled"});
    m.Node("Flatten", {"pooled"}, {"flat"});
    return m;
  }
  Result<Network> Read(const TestModel& model, const std::string& card = "",
                       NetworkOptions options = {}) {
    EXPECT_TRUE(WriteFile(path_, model.Bytes()));
    EXPECT_TRUE(WriteFile(dir_.path() / "m.toml", card));
    return ReadNetwork(path_, std::move(options));
  }
  std::string Line(const TestModel& model, const std::string& card = "") {
    const auto network = Read(model, card);
    return network ? network->contract.ToString() : network.error().ToString();
  }

  TempDir dir_;
  const std::filesystem::path path_ = dir_.path() / "m.onnx";
};

TEST_F(Contracts, AClassifier) {
  TestModel m = Small();
  m.Output("flat");
  EXPECT_EQ(Line(m),
            "takes 'image', 8x8, 3 channels NCHW float32; gives 2 classes (logits) in 'flat'; 216 "
            "B of weights");
}

TEST_F(Contracts, ProbabilitiesAreSeenInTheGraphAndTheCardWins) {
  TestModel m = Small();
  m.Node("Softmax", {"flat"}, {"soft"});
  m.Node("Identity", {"soft"}, {"y"});
  m.Output("y");
  const auto network = Read(m);
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_TRUE(network->contract.output().probabilities);
  EXPECT_EQ(network->card.kind, ModelCard::Kind::kProbabilities);
  EXPECT_THAT(Line(m, "[output]\nkind = 'logits'"), HasSubstr("2 classes (logits)"));
  EXPECT_THAT(Line(m, "[output]\nkind = 'numbers'"), HasSubstr("numbers in 'y'"));
}

TEST_F(Contracts, OfSeveralOutputsOnlyTheCardCanTell) {
  TestModel m = Small();
  m.Node("Relu", {"flat"}, {"extra"});
  m.Output("extra").Output("flat");
  EXPECT_THAT(Line(m), HasSubstr("gives 2 raw outputs"));
  const auto network = Read(m, "[output]\ntensor = 'flat'");
  ASSERT_TRUE(network);
  EXPECT_EQ(network->contract.judged, 1U);
  EXPECT_EQ(network->contract.classes(), 2U);
}

TEST_F(Contracts, HalfPrecisionScoresAndOnePixelMaps) {
  TestModel m = Small();
  m.graph().mutable_node()->RemoveLast();  // no Flatten: 1x2x1x1
  auto& cast = m.Node("Cast", {"pooled"}, {"y"});
  fogline::test::SetInt(cast, "to", kHalf);
  m.Output("y", kHalf);
  const auto network = Read(m);
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_EQ(network->contract.classes(), 2U);
  Tensor scores(DType::kF16, {1, 2, 1, 1});
  scores.as<uint16_t>()[0] = ToHalf(1);
  scores.as<uint16_t>()[1] = ToHalf(3);
  const auto verdict = ReadClass(scores.view(), network->card);
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_EQ(verdict->label, 1);
  EXPECT_NEAR(verdict->score, 0.8808, 1e-3);
}

TEST_F(Contracts, InputsThatAreAlwaysTheSameBecomeConstants) {
  TestModel m = Small();
  m.Input("iou_threshold", {"1"}).Input("gain", {}).Input("unused", {"1", "7"}, kInt);
  m.Input("image_shape", {"batch", "2"});
  m.Node("Mul", {"flat", "gain"}, {"a"});
  m.Node("Add", {"a", "iou_threshold"}, {"b"});
  m.Node("Add", {"b", "image_shape"}, {"y"});
  m.Output("y");
  EXPECT_THAT(Line(m), HasSubstr("takes 'gain' float32 scalar beside the picture 'image': if it is "
                                 "the same for every picture, give it under [constants]"));
  auto network = Read(m, "[constants]\ngain = 3");
  ASSERT_TRUE(network && network->contract.takes_pictures()) << network->contract.ToString();
  EXPECT_THAT(network->contract.ToString(),
              HasSubstr("; 'iou_threshold' is 0.45 (its name); 'gain' is 3 (the card); 'unused' is "
                        "unread; 'image_shape' is 8,8 (its name); gives 2 classes"));
  EXPECT_EQ(network->model.inputs().size(), 1U);
  EXPECT_TRUE(network->model.rewritten());
  // The name on the wire is the file's, and a cut's is that of the picture.
  EXPECT_EQ(network->model.hash(), HashSha256(ReadFile(path_).value()));
  EXPECT_EQ(FindCut(network->model, "cloud-only")->tensors.size(), 1U);

  const auto run = [](const Model& model) {
    auto session = OpenSession(model);
    EXPECT_TRUE(session) << session.error().ToString();
    Tensor image(DType::kF32, {1, 3, 8, 8});
    std::ranges::fill(image.bytes(), std::byte{0});
    const TensorView view = image.view();
    auto outputs = (*session)->Run({&view, 1});
    EXPECT_TRUE(outputs) << outputs.error().ToString();
    return outputs->front().as<float>()[0];
  };
  EXPECT_FLOAT_EQ(run(network->model), 0.45F + 8);
  // The command line's word goes before the name.
  network = Read(
      m, "[constants]\ngain = 3",
      {.side = 0,
       .load = {.shapes = {}, .values = {{"iou_threshold", {0.7}}}, .fixed = {}, .without = {}},
       .in_memory = true});
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_FLOAT_EQ(run(network->model), 0.7F + 8);
  const auto bad = Read(m, "[constants]\ngain = [1, 2, 3]\niou_threshold = [1, 2]");
  EXPECT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("input 'gain' holds 1 numbers, not 3"));
}

TEST_F(Contracts, ABatchIsReadFromItsFirstRow) {
  TestModel m;
  m.Input("image", {"4", "3", "8", "8"}).Conv("image", "c", 3, 2);
  m.Node("GlobalAveragePool", {"c"}, {"pooled"});
  m.Node("Flatten", {"pooled"}, {"flat"});
  m.Output("flat");
  const auto network = Read(m);
  ASSERT_TRUE(network) << network.error().ToString();
  EXPECT_THAT(network->contract.ToString(), HasSubstr("float32, 4 at once; gives 2 classes"));
  Tensor scores(DType::kF32, {4, 2});
  for (size_t i = 0; i < 8; ++i)
    scores.as<float>()[i] = static_cast<float>(i == 1 ? 1 : 9 * (i > 1));
  EXPECT_EQ(ReadClass(scores.view(), network->card)->label, 1);
}

TEST_F(Contracts, ANetworkThatTakesNoPictureIsReadAndSaysSo) {
  TestModel m;
  m.Input("tokens", {"1", "16"});
  m.Node("Relu", {"tokens"}, {"y"});
  m.Output("y");
  EXPECT_THAT(Line(m), HasSubstr("takes 'tokens' float32 1x16, not a picture"));
  const auto network = LoadNetwork(path_);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
  const auto card = PeekCard(path_);
  ASSERT_FALSE(card);
  EXPECT_EQ(card.error().ToString(), network.error().ToString());
}

/// What strangers' networks are: each gets its line, and none is taken for what it is not.
TEST(PublicNetworks, EachHasItsContract) {
  const std::filesystem::path models = std::filesystem::path(FOGLINE_SHARED_DATA) / "models";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no shared models at " << models;
  const std::map<std::string, const char*> known{
      {"mobilenet_v2_1.0_160.onnx", "1000 classes (logits)"},
      {"light_squeezenet.onnx", "1000 classes (probabilities)"},
      {"light_densenet121.onnx", "1000 classes (logits)"},
      {"ultraface_RFB_320.onnx", "boxes of one class (layout ultraface, guessed"},
      {"mnist_ms.onnx", "28x28, 1 channel NCHW float32; gives 10 classes"},
      {"mb_tract.onnx", "224x224, 3 channels NHWC float32; gives 576 classes"},
      {"unet_sed.onnx", "1 channel NCHW float32; gives raw in 'output'"},
      {"yolov8n_int8.onnx", "boxes of 80 classes (layout yolov8, guessed"},
      {"yolox_nano_kazu.onnx", "boxes of 80 classes (layout yolox, guessed"},
      {"nanodet_hpc.onnx", "boxes of 80 classes (layout nanodet, guessed"},
      {"picodet_s_320.onnx", "boxes of 80 classes (layout picodet, guessed"},
      {"fastestdet.onnx", "boxes of 80 classes (layout fastestdet, guessed"},
      {"ultraface_slim.onnx", "boxes of one class (layout ultraface, guessed"},
      {"yunet_2026may.onnx", "boxes of one class (layout yunet, guessed"},
      {"blazeface.onnx", "boxes of one class (layout blazeface, guessed"}};
  size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(models)) {
    if (entry.path().extension() != ".onnx") continue;
    const auto network = ReadNetwork(entry.path());
    ASSERT_TRUE(network) << network.error().ToString();
    const std::string line = network->contract.ToString();
    EXPECT_TRUE(network->contract.takes_pictures()) << entry.path() << ": " << line;
    EXPECT_EQ(network->contract.weight_bytes, network->model.weight_bytes());
    const auto expected = known.find(entry.path().filename().string());
    if (expected != known.end()) {
      EXPECT_THAT(line, HasSubstr(expected->second)) << entry.path();
    }
    ++seen;
  }
  EXPECT_GE(seen, known.size());
}

}  // namespace
}  // namespace fogline
